"""The walk over a new board, as somebody sees it."""
