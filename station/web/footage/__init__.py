"""The pages of footage: requests, one package with its player, its hand-over."""
