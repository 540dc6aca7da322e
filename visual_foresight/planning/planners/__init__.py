"""Planners, which search for actions, and what gives them candidates: one file each."""
