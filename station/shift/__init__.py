"""What a shift hands over to the next one: what happened in it and what became of that; read, and on paper."""
