"""The flow model: motion read in a window that follows the fingertip. Its door is `model`."""
