"""Frames for training: chosen in the cameras' threads, made small and written in one that gives way to all."""
