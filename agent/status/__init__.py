"""What a box says about itself."""
