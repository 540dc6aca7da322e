"""The control benchmark: `evaluate control`."""
