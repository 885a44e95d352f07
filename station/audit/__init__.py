"""Whether the store still holds what came."""
