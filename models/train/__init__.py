"""A detector trained further on the operator's own pictures."""
