"""The loops of a box, each in a thread or in a turn of the main loop."""
