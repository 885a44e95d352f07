"""Messages of the boxes: received, read, handed over, receipted."""
