"""Controllers, which choose the next action: one file each."""
