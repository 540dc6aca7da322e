"""Who chooses the next action: one file each."""
