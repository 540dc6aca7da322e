"""What a model is asked of a plan beyond frames and pixel maps, for the page to draw."""
