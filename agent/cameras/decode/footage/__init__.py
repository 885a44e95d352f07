"""Packets and masked pictures to fragments of MP4, for the box's recorder."""
