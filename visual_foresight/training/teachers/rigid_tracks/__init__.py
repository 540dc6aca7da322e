"""A teacher that follows rigid things on a table that rests."""
