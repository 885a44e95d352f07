"""A model on trial in the shadow of the one in use: shown crops, and remembered over restarts."""
