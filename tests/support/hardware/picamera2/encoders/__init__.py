"""An encoder that encodes nothing: a packet is the picture as it was when it came to the encoder."""

from __future__ import annotations

import time


class LibavH264Encoder:
    by = "libav"

    def __init__(self, bitrate, iperiod, repeat, framerate):
        assert repeat is True
        self.bitrate, self.every, self.framerate = bitrate, iperiod, framerate
        self.firsttimestamp = None
        self.count = 0

    def begin(self, output, name):
        self.output, self.name = output, name

    def encode(self, request):
        sensor_us = time.monotonic_ns() // 1000 - 20_000
        if self.firsttimestamp is None:
            self.firsttimestamp = sensor_us
        data = self.by.encode() + request.arrays[self.name].tobytes()
        self.output.outputframe(data, self.count % self.every == 0, sensor_us - self.firsttimestamp)
        self.count += 1
