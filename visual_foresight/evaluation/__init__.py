"""The judging room: closed-loop trials, benchmarks, prediction and ranking figures.

It alone may look at the truth.
"""
