"""A look-up as an address, and what its page shows."""
