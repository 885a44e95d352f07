"""One file per family of networks: from raw outputs to boxes. All pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.detectors.heads.distribution import DistributionHead
from agent.detectors.heads.ssd import SsdHead
from agent.detectors.heads.ultralytics import EndToEndHead, UltralyticsHead
from agent.detectors.heads.yolov3 import Yolov3Head
from agent.detectors.heads.yolox import YoloxHead

Head = Annotated[
    YoloxHead | Yolov3Head | UltralyticsHead | EndToEndHead | DistributionHead | SsdHead,
    Field(discriminator="kind"),
]
"""A head's constants as a card gives them; each has `decode(outputs, ask) -> Found`."""
