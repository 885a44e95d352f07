"""Footage kept and handed over."""
