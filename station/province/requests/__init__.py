"""What the province asks of its communes' stations: written, carried down, and what comes back."""
