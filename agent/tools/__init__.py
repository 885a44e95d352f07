"""What a technician runs beside the agent: check, replay, overlay."""
