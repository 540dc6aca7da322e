"""Models that imagine frames.

One package each, beside what wraps them, builds them and keeps them.
"""
