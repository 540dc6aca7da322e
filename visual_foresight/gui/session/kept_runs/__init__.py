"""What is kept of a run while it goes on: one file per step, and what becomes of them."""
