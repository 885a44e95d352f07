"""A camera over time: how much it told, and when nobody watched."""
