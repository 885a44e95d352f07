"""A real broker."""

from __future__ import annotations

from tests.brokers import mosquitto, start_mosquitto

__all__ = ["mosquitto", "start_mosquitto"]
