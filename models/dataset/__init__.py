"""Labelled pictures: what a detector is trained with and judged by."""
