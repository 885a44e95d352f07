"""What leaves the station for other programs: webhooks, and the same in the words of other conventions."""
