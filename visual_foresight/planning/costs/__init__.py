"""How bad an imagined future is: one file each.

The goal is bound at construction; lower is better.
"""
