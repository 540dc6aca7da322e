"""Frames as numbers: pixel maps, optical flow, calibrated planes, pictures for people.

It knows no model and no world.
"""
