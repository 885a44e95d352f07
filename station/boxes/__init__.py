"""The boxes of the commune as the duty room sees them: how each stands, orders to them, where they hang."""
