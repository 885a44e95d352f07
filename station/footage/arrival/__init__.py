"""Footage as it comes from the boxes: piece by piece, judged by the request and by what its manifest lists."""
