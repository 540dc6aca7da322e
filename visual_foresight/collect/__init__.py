"""The room that gathers experience.

An exploration policy in envs, in parallel, written as episodes.
"""
