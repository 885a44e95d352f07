"""How many went over which line, by direction and label: right where nobody counted, too."""
