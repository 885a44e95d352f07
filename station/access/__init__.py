"""Who may use the duty room's screen, and what each has done there."""
