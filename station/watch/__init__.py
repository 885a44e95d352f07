"""`ngatu watch`: the events as they come, on a terminal."""
