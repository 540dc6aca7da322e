"""What helps a person to make a goal: what a pixel shows, and links that open the page."""
