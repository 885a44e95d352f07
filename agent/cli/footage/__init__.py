"""The commands about footage: recorded to try rules, cut on the box, and the key that signs it."""
