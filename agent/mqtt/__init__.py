"""From the outbox over one MQTT connection to the station, and its receipts back."""
