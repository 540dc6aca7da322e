"""A model that samples one of several futures."""
