"""Collecting data: an explorer acts in envs, in parallel, and what happens is recorded."""
