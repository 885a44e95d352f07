"""Commands of the station: judged, noted, done once, recorded."""
