"""The brokers, for every test of the delivery."""

from tests.brokers import embedded, mosquitto, start_mosquitto

__all__ = ["embedded", "mosquitto", "start_mosquitto"]
