"""How runs end, and many of them in a row."""
