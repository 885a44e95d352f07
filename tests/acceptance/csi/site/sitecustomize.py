"""Lets the real picamera2 work with libcamera's virtual camera, where this folder is on Python's path.

The virtual camera has no raw stream, and says of its pictures' planes how long they are but not how many bytes
of them are used: so the list of raw modes is given, and buffers are mapped by the length of their planes. All
else is picamera2's and libcamera's own.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import mmap
import sys


def adapt(module):
    """Change what the virtual camera lacks."""
    from picamera2.allocators import LibcameraAllocator  # noqa: PLC0415 – only when it is imported already
    from picamera2.allocators.allocator import Sync  # noqa: PLC0415

    class PlaneSync(Sync):
        """Maps a buffer as far as its planes reach."""

        def __init__(self, allocator, buffer, write):
            self._planes = buffer.planes

        def __enter__(self):
            length = max(plane.offset + plane.length for plane in self._planes)
            prot = mmap.PROT_READ | mmap.PROT_WRITE
            self._memory = mmap.mmap(self._planes[0].fd, length, mmap.MAP_SHARED, prot)
            return self._memory

        def __exit__(self, *_):
            with contextlib.suppress(BufferError):  # somebody still looks at the picture
                self._memory.close()

    class PlaneAllocator(LibcameraAllocator):
        """Buffers of libcamera's own allocator."""

        def __init__(self, camera):
            super().__init__(camera)
            self.sync = PlaneSync

    class Virtual(module.Picamera2):
        """With buffers that the virtual camera can fill."""

        def __init__(self, *words, **more):
            super().__init__(*words, **more)
            self.allocator = PlaneAllocator(self.camera)

        def _get_raw_modes(self):
            return [{"format": "SRGGB8", "size": (4608, 2592)}]

    module.Picamera2 = Virtual


class Adapting(importlib.abc.MetaPathFinder):
    """Adapts picamera2 as soon as it is imported, and costs nothing where it is not."""

    def find_spec(self, name, path, target=None):
        """Python's own answer, with `adapt` behind it."""
        if name != "picamera2":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def both(module):
            run(module)
            adapt(module)

        spec.loader.exec_module = both
        return spec


sys.meta_path.insert(0, Adapting())
