"""A teacher that follows rigid objects on a table."""
