"""Through an index in chunks, within a time: what a look-up does to the store."""
