"""`ngatu look`: what a camera sees now, in small pictures for a minute at most."""
