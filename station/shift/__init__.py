"""What a shift hands over to the next one: what happened in it and what became of that, as data and on paper."""
