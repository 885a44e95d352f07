"""A decoder that was taken over: it says what no decoder says (P25.1)."""

from __future__ import annotations

import socket
import sys
import time

if __name__ == "__main__":
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.recv(65_536)
    sock.send(b'{"frame": ["x"]}')
    time.sleep(5)
