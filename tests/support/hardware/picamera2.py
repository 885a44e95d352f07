"""A stand-in for the Raspberry Pi camera's hardware library, where there is none; tests put it on sys.path.

It behaves as picamera2 0.3.38 does: rows padded to 64 bytes, a deadline on each capture, RuntimeError for a
camera that is not there. LIBCAMERA_STAND_IN chooses what goes wrong: older, busy, nv12, stuck or hung.
"""

from __future__ import annotations

import os
import time

import numpy as np

STATE = {"closed": 0, "held": 0}
MODE = os.environ.get("LIBCAMERA_STAND_IN", "")


class Request:
    def __init__(self, number, stride, height):
        self.array = np.full(stride * height * 3 // 2, 99, np.uint8)
        rows = self.array[: stride * height].reshape(height, stride)
        rows[:, :] = 200  # the padding, which must never be seen
        STATE["held"] += 1
        self.number = number

    def release(self):
        STATE["held"] -= 1


class MappedArray:
    def __init__(self, request, stream, reshape=True, write=True):
        assert (stream, reshape, write) == ("main", False, False)
        self.array = request.array

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
        self.number, self.count = number, 0
        self.camera_properties = {"Model": "imx708"}

    def create_video_configuration(self, main, controls, buffer_count):
        width, height = main["size"]
        stream = {"size": (width, height), "format": main["format"], "stride": -(-width // 64) * 64}
        return {"main": stream, "controls": controls, "buffer_count": buffer_count}

    def configure(self, config):
        if MODE == "busy":
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.config = config

    def camera_configuration(self):
        if MODE == "nv12":
            self.config["main"]["format"] = "NV12"
        return self.config

    def start(self):
        pass

    def capture_request(self, wait):
        assert wait is not True and wait is not None
        if MODE == "stuck" and self.count == 3:
            time.sleep(wait)
            raise TimeoutError
        if MODE == "hung" and self.count == 3:
            time.sleep(600)
        time.sleep(0.005)
        main = self.config["main"]
        request = Request(self.count, main["stride"], main["size"][1])
        rows = request.array[: main["stride"] * main["size"][1]].reshape(main["size"][1], main["stride"])
        rows[:, : main["size"][0]] = 50 + self.count % 100
        self.count += 1
        return request

    def close(self):
        STATE["closed"] += 1
