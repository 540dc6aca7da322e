"""Searches over action sequences."""
