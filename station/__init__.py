"""The duty room: subscribes, commits, sends receipts, shows."""
