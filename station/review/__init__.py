"""What the duty room makes of alerts: a queue that a shift works off, and what false alarms say of a rule."""
