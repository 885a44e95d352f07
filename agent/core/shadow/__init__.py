"""A model on trial in the shadow of the one in use: the same crops, compared, and a verdict; pure."""
