"""What the boxes said, kept: a database, and files of pictures."""
