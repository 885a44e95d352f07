"""The loops and records of footage, beside the recorder of each camera."""
