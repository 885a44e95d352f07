"""A clip as it is handed over: its manifest, composed and signed by the box, read by whoever verifies."""
