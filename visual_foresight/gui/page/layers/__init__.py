"""What is drawn over the frames: where pixels are expected, what is intended, what moves."""
