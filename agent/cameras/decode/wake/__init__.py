"""Waking on packets: while nothing happens only key pictures are decoded, and sizes tell when that ends."""
