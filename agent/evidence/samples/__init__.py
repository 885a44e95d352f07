"""Frames for training a detector, kept on the box: within a budget, for a while, behind everything else."""
