"""A detector trained further on the operator's own pictures. Only this room imports PyTorch."""
