"""The learning itself: the network, its losses and its steps. Only this room imports PyTorch."""
