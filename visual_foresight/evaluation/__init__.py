"""Benchmarks of control, prediction, ranking and speed: one package per command.

Only this room and the judge may look at where things truly are.
"""
