"""Pages of the province's console on which communes are asked for something."""
