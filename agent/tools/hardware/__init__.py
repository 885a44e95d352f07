"""What a board must show, walked through: measured where that can be, else asked of a person and verified."""
