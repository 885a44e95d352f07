"""A look-up in the words of an officer, in Vietnamese with and without accents, and in English."""
