"""A camera looked at while it is set up: a picture with a grid, and a page to draw places and try rules."""
