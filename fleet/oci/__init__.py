"""The station and its broker as one image of the Open Container Initiative."""
