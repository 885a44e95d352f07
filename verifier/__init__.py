"""`ngatu verify`: whether a package of footage is what a box signed. Apart from the agent, and without it."""
