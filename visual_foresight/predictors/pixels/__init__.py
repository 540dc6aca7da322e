"""A model that draws frames anew and moves no pixels."""
