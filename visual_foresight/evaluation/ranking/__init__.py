"""Whether predicted costs order candidates as the world does: `evaluate ranking`."""
