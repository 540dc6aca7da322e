"""Frames on the screen: pixels and places, pictures and markers."""
