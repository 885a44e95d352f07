"""Frames for training that this station ordered: ordered, taken in as footage is, put together, kept."""
