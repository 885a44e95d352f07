"""Clips on request: noted, cut out of the ring, sent piece by piece."""
