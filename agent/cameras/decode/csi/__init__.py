"""A Raspberry Pi camera, through picamera2."""
