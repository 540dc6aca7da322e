"""How well frames and pixels are foreseen: `evaluate prediction`."""
