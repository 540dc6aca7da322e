"""The scene: the camera's frame, and making a goal on it."""
