"""Detectors of somebody else, found by the entry-point group `ngatu.detectors` (docs/guide/detectors.md).

An entry point names a function that is given the detector's settings and returns a Detector. It runs in the
agent's process with the agent's rights, as every package of a release does. What it says is checked all the
same: a mistake in it must be told as the plug-in's, and what is no detection gets into no track and no event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import structlog

from agent.core.types import Box, Detection, Image, Size
from agent.detectors import Detector
from agent.detectors.settings import NCNN, ONNX_RUNTIME, DetectorSettings
from agent.errors import ModelError, NgatuError
from agent.printable import printable
from agent.translatable import tr

log = structlog.get_logger(__name__)

GROUP: Final = "ngatu.detectors"
MOST_FOUND: Final = 300
"""Objects in one picture; a crowded junction has a tenth of it."""
LARGEST_PX: Final = 4096
"""Of a side of the network's input, as of a card's."""

Loader = Callable[[DetectorSettings], Detector]
"""What an entry point names."""


def load_plugin(settings: DetectorSettings) -> Detector:
    """The detector of the plug-in that `settings.backend` names, ready to be called.

    Raises:
        ModelError: there is no such plug-in, there are two, or it cannot give a detector.
    """
    name = settings.backend
    found = [each for each in entry_points(group=GROUP) if each.name == name]
    if len(found) != 1:
        raise _not_one(name, found)
    (point,) = found
    try:
        load: Loader = point.load()
        inner = load(settings)
        detector = PluginDetector(name, inner)
    except NgatuError:
        raise
    except Exception as error:  # a stranger's code may raise anything
        raise ModelError(
            tr("detector.backend: the plug-in {name} fails: {why}", name=name, why=_words(error)),
            tr("its package is {package}: ask whoever made it", package=_package(point)),
        ) from error
    log.info("detector_plugin", backend=name, package=_package(point))
    return detector


class PluginDetector:
    """A plug-in's detector, of which nothing is believed that is no detection."""

    def __init__(self, backend: str, inner: Detector) -> None:
        """Take what it says of itself.

        Raises:
            ModelError: it is no Detector.
        """
        self._backend, self._inner = backend, inner
        self.name, self.sha256 = inner.name, inner.sha256
        self.input_size: Size = inner.input_size
        self.labels: tuple[str, ...] = tuple(inner.labels)
        if not (isinstance(self.name, str) and 0 < len(self.name) <= 100 and self.name.isprintable()):
            raise self._wrong("its name is no word")
        if not isinstance(self.sha256, str) or not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise self._wrong("its sha256 is no SHA-256 in lower-case hex")
        size = self.input_size
        if not all(type(side) is int and 0 < side <= LARGEST_PX for side in (size.width_px, size.height_px)):
            raise self._wrong(f"its input_size is {self.input_size}")
        if not self.labels or not all(isinstance(label, str) and label for label in self.labels):
            raise self._wrong("its labels are no words")

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each BGR picture, as the plug-in tells them, best score first.

        Raises:
            ModelError: it fails, or what it gives are no detections.
        """
        try:
            answers = list(self._inner.detect(images))
        except NgatuError:
            raise
        except Exception as error:  # a stranger's code may raise anything
            raise self._wrong(_words(error)) from error
        if len(answers) != len(images):
            raise self._wrong(f"{len(answers)} answers for {len(images)} pictures")
        return [self._checked(each) for each in answers]

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._inner.close()

    def _checked(self, found: Any) -> tuple[Detection, ...]:
        try:
            given = tuple(found)
            for each in given:
                self._require(each)
        except (AttributeError, TypeError, ValueError) as error:
            raise self._wrong(str(error)) from error
        if len(given) > MOST_FOUND:
            raise self._wrong(f"{len(given)} objects in one picture")
        return tuple(sorted(given, key=lambda each: -each.score))

    def _require(self, each: Detection) -> None:
        if not isinstance(each, Detection) or not isinstance(each.box, Box):
            raise TypeError(f"a {type(each).__name__} where a Detection was due")
        if each.label not in self.labels:
            raise ValueError(f"a label that it does not have: {str(each.label)[:40]!r}")
        if not 0 <= each.score <= 1:  # of NaN, too, nothing is true
            raise ValueError(f"a score of {each.score}")
        box = each.box
        sides = box.left, box.top, box.right, box.bottom
        if not (
            all(map(math.isfinite, sides)) and 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
        ):
            raise ValueError(f"a box that is none in fractions of the picture: {sides}")

    def _wrong(self, what: str) -> ModelError:
        return ModelError(
            tr("the plug-in {name} fails: {why}", name=self._backend, why=printable(what)[:300]),
            tr("ask whoever made it; docs/guide/detectors.md says what is due"),
        )


def _not_one(name: str, found: Sequence[EntryPoint]) -> ModelError:
    if found:
        packages = ", ".join(sorted(map(_package, found)))
        return ModelError(
            tr(
                "detector.backend: {name} is a plug-in of several packages: {packages}",
                name=name,
                packages=packages,
            ),
            tr("leave one of them installed"),
        )
    there = sorted({ONNX_RUNTIME, NCNN, *entry_points(group=GROUP).names})
    return ModelError(
        tr("detector.backend: nothing here is called {name}", name=name),
        tr("there are {names}; a plug-in is installed beside ngatu", names=", ".join(there)),
    )


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _words(error: Exception) -> str:
    return printable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
