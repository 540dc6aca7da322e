"""The web server: its configuration, and the guard that decides who is let in."""
