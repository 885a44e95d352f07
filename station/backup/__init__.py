"""A station copied elsewhere while it works, and brought back: backup, journal, restore."""
