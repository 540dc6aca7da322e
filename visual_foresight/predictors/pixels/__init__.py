"""A model that draws every frame anew and moves no pixels."""
