"""A model of rigid bodies that a fingertip pushes. Other rooms import `model` alone."""
