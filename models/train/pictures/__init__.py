"""What is learned from, picture by picture: parts of labelled frames, weather, and frames to rehearse with."""
