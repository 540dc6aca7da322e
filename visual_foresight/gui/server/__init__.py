"""What listens: settings, the guard, uploads."""
