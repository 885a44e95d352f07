"""ngatu: the agent on the pole. It sees, tracks, judges, delivers and proves."""

__version__ = "0.1.0"
