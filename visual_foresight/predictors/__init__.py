"""Models that imagine frames: one package each, beside what wraps them, builds them and keeps them."""
