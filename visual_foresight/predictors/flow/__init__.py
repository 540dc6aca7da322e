"""A model of what the fingertip moves, seen from the fingertip. Outside, only `model` is known."""
