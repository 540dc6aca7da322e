"""What the page shows in place of a world where it was opened on recorded data."""
