"""Baselines that models are measured against: persistence (floor) and the simulator (ceiling)."""
