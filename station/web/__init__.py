"""The duty room's screen: a process of its own beside the station's, which stands on the store."""
