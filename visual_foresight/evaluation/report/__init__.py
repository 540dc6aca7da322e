"""The page that a person can look at."""
