"""File formats of episodes: one file per format."""
