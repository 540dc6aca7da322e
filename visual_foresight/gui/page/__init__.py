"""What a browser tab shows: one panel per file, and one file per tab in `tabs`."""
