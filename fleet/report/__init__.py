"""Which boxes need somebody, and how soon."""
