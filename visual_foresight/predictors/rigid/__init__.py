"""A model whose things are rigid bodies that a finger pushes. Outside, only `model` is known."""
