"""How a part declares a setting, and how a file of settings is read, judged, told about and described."""
