"""A model that draws one of several futures."""
