"""The room that remembers: episodes on disk, and clips out of them.

A dataset is a folder: `dataset.json` (what was recorded, how) and one file per episode, see
`data/README.md`.
"""
