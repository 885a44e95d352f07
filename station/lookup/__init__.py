"""`ngatu station events`: what happened between two moments, out of the store."""
