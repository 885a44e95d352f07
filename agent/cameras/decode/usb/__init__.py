"""A camera at a USB port: what FFmpeg is told about it."""
