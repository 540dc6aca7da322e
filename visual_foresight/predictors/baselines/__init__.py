"""What models are measured against: nothing moves, and the simulator itself."""
