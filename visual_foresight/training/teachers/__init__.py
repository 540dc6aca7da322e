"""Teachers follow points through recorded episodes, for pixel maps to learn from: one each."""
