"""Arrays and values in, values out: no clock, disk, network, thread or log in here."""
