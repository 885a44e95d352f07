"""A page on this machine for boxes and labels in pictures."""
