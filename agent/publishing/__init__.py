"""Events and counts to messages and pictures."""
