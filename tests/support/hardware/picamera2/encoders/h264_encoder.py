"""A board's own encoder."""

from picamera2.encoders import LibavH264Encoder


class H264Encoder(LibavH264Encoder):
    by = "v4l2m"
