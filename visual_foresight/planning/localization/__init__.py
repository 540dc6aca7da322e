"""Where each designated pixel is now: one file each."""
