"""Control: the one closed loop, its judge, and how the compared methods are put together."""
