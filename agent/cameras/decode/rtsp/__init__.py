"""The way to a network camera, on which its login stays."""
