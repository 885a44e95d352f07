"""Footage handed over on paper and as one file: the printed report, the archive, and how to verify it."""
