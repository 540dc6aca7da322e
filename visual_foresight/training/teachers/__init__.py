"""Whose points pull the pixel maps: one file or package per teacher."""
