"""A process that modes and owners bind, also where the tests run as root."""

from __future__ import annotations

import os

PLAIN = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--") if os.geteuid() == 0 else ()
"""Words before a command."""
