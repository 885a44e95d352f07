"""Footage that this station asked for: asked, taken in piece by piece, put together, decrypted, verified."""
