"""What a box and a station say to each other: payloads, topics, the hash chain, signatures."""
