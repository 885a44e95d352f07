"""The box's commands; the only rooms that print are those named cli."""
