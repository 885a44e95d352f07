"""agent.host.tuning"""

from __future__ import annotations

import subprocess
import sys

THREADS = """
import ctypes, re, threading
from agent.host import tuning
tuning.begin()
import cv2
print(cv2.getNumThreads())
barrier = threading.Barrier(8)
def work():
    barrier.wait()
    kept = [ctypes.create_string_buffer(1000) for _ in range(1000)]
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[each.start() for each in threads], [each.join() for each in threads]
libc = ctypes.CDLL(None)
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
import tempfile
with tempfile.NamedTemporaryFile() as file:
    out = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, out)
    libc.fclose(out)
    print(len(re.findall(rb"<heap nr", file.read())))
"""


def test_eight_threads_share_two_heaps_and_opencv_has_one_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    threads, heaps = map(int, done.stdout.split())
    assert threads == 1
    assert heaps <= 2


RUBBISH = """
import psutil
from agent.host import tuning
kept = [bytearray(2000) for _ in range(20_000)]
last = bytearray(2000)
before = psutil.Process().memory_info().rss
del kept
tuning.tidy()
print(before - psutil.Process().memory_info().rss)
"""


def test_memory_that_is_not_needed_any_more_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUBBISH], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20 << 20  # of 40 million bytes
