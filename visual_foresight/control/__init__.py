"""The one closed loop, what it is configured with, and its judge."""
