"""What a kept run is exported as: its episode, animations, its figures, and a report."""
