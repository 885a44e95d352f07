"""Which versions of what the agent stands on are installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

NAMES = ("numpy", "opencv-python-headless", "av", "onnxruntime", "paho-mqtt", "pydantic")
ALSO_AS = {
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime_gpu"),
    "opencv-python-headless": ("opencv-python", "opencv-contrib-python", "opencv"),
}
"""A board's vendor has a build of his own, under another name."""


def versions() -> dict[str, str]:
    """By the usual name; a vendor's build with its own name before the version. What is missing is left out."""
    found = {}
    for name in NAMES:
        for other in (name, *ALSO_AS.get(name, ())):
            try:
                found[name] = version(other) if other == name else f"{other} {version(other)}"
            except PackageNotFoundError:
                continue
            break
    return found
