"""Messages on disk until the station has them."""
