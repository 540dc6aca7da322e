"""Explorers, policies without a goal that data is collected with: one file each."""
