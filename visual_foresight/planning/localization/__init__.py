"""Locators, which find each designated pixel in the newest frame: one file each."""
