"""Recorded episodes on disk and in memory, and clips of them.

A dataset is a folder: `dataset.json` says what was recorded and how, and each episode is a file
(see `data/README.md`).
"""
