"""The box's one YAML file, and the last good one."""
