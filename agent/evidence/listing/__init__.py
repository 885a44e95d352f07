"""What lies in the ring, by camera and time, and which ranges of it go last."""
