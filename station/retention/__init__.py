"""How long what boxes told is kept: what is due by its age, what is held, and the record of what went."""
