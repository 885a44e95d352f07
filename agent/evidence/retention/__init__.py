"""What footage takes of its disk, and what of it goes: by age, or the oldest for room."""
