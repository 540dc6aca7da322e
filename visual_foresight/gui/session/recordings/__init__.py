"""Recorded episodes in place of a world: what is chosen of them, and what a model makes of it."""
