"""The whole program: built, started, attended, stopped."""
