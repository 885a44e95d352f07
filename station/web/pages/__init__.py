"""The pages of the duty room's screen, one module each; each has a `router`."""
