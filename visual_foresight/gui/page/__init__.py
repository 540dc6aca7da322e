"""What is seen: one panel per file."""
