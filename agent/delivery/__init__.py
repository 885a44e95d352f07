"""From an event to the station's receipt: thumbnail, wire, outbox, forwarder, mqtt."""
