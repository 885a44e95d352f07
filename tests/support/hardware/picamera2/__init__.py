"""A stand-in for the Raspberry Pi camera's hardware library, where there is none; tests put it on sys.path.

It behaves as picamera2 0.3.38 does: rows padded to 64 bytes, a deadline on each capture, RuntimeError for a
camera that is not there; a callback may paint on a picture before it is encoded or captured. LIBCAMERA_STAND_IN
chooses what goes wrong: older, busy, other, nv12, stuck, once (stuck until it is started again) or hung.

`make test-csi` tries the real library.
"""

from __future__ import annotations

import os
import time

import numpy as np

STATE = {"closed": 0, "held": 0}
MODE = os.environ.get("LIBCAMERA_STAND_IN", "")
STUCK_AT = 3


class Request:
    def __init__(self, number, streams):
        self.arrays = {}
        for name, stream in streams.items():
            (width, height), stride = stream["size"], stream["stride"]
            array = self.arrays[name] = np.full(stride * height * 3 // 2, 99, np.uint8)
            rows = array[: stride * height].reshape(height, stride)
            rows[:, :] = 200  # the padding, which must never be seen
            rows[:, :width] = 50 + number % 100
            if stream["format"] == "NV12":
                array[stride * height :: 2] = 77
        STATE["held"] += 1
        self.number = number

    def release(self):
        STATE["held"] -= 1


class MappedArray:
    def __init__(self, request, stream, reshape=True, write=True):
        assert reshape is False
        self.array = request.arrays[stream]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Picamera2:
    @staticmethod
    def global_camera_info():
        return [{"Model": "imx219", "Id": "/base/first"}, {"Model": "imx708", "Id": "/base/second"}]

    def __init__(self, number):
        if MODE == "older" and number > 1:
            raise IndexError("list index out of range")
        if number > 1:
            raise RuntimeError(f"No camera number {number} found")
        self.number, self.count, self.starts = number, 0, 0
        self.camera_properties = {"Model": "imx708"}
        self.pre_callback = None
        self.encoders = []

    def create_video_configuration(self, main, controls, buffer_count, lores=None):
        config = {"controls": controls, "buffer_count": buffer_count, "lores": None}
        for name, wanted in {"main": main, "lores": lores}.items():
            if wanted is not None:
                config[name] = {**wanted, "stride": -(-wanted["size"][0] // 64) * 64}
        return config

    def configure(self, config):
        if MODE == "busy":
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.config = config
        self.streams = {name: config[name] for name in ("main", "lores") if config[name]}

    def camera_configuration(self):
        for stream in self.streams.values():
            stream["format"] = {"nv12": "NV12", "other": "RGB888"}.get(MODE, stream["format"])
        return self.config

    def start(self):
        self.starts += 1

    def stop(self):
        pass

    def cancel_all_and_flush(self):
        pass

    def start_encoder(self, encoder, output, name):
        if MODE == "no encoder":
            raise RuntimeError("No space left on device")
        encoder.begin(output, name)
        self.encoders.append(encoder)

    def stop_encoder(self, encoder):
        self.encoders.remove(encoder)

    def capture_request(self, wait):
        assert wait is not True and wait is not None
        if self.count == STUCK_AT and (MODE == "stuck" or (MODE == "once" and self.starts == 1)):
            time.sleep(wait)
            raise TimeoutError
        if MODE == "hung" and self.count == STUCK_AT:
            time.sleep(600)
        time.sleep(0.005)
        request = Request(self.count, self.streams)
        self.count += 1
        if self.pre_callback:
            self.pre_callback(request)
        for encoder in self.encoders:
            encoder.encode(request)
        return request

    def close(self):
        STATE["closed"] += 1
