"""The commands as man pages."""
