"""What happened: tracks and motion in, events and counts out."""
