"""Can the camera still see: covered, dark, bright, blurred, moved, frozen."""
