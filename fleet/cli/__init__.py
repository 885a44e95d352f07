"""The administrator's commands."""
