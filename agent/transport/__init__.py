"""One way to a broker for box, station and controller: settings, a client set up, what went wrong in words."""
