"""What the province asks of a station, and what it is answered."""
