"""How the detector is chosen and run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from agent.core.shadow.settings import ShadowTrialSettings
from agent.settings.base import Settings
from agent.translatable import tr

ONNX_RUNTIME: Final = "onnxruntime"
NCNN: Final = "ncnn"

Score = Annotated[float, Field(ge=0, le=1)]


class ShadowSettings(ShadowTrialSettings):
    """Another model that looks at the same crops and tells nothing, until it has shown that it works here."""

    model: str = Field(
        min_length=1, examples=["roads-416"], description="Name of a fetched model, or path of an .onnx file."
    )
    card: Path | None = Field(None, description="Its model card; found as that of `detector.model`.")


class DetectorSettings(Settings):
    """Which network finds the objects, and what it may spend."""

    model: str = Field(
        "yolov3-tiny-416",
        description="Name of a fetched model, or path of an .onnx file; on a box better yolox-nano-416 "
        "(docs/guide/models.md).",
    )
    card: Path | None = Field(
        None, description="Model card; if absent, the .yaml beside the model, or the card we ship."
    )
    backend: str = Field(
        ONNX_RUNTIME,
        pattern=r"^[a-z][a-z0-9_-]{0,31}$",
        description="What runs the network: onnxruntime, ncnn, or a plug-in by its name "
        "(docs/guide/detectors.md).",
    )
    options: dict[str, str] = Field(
        default_factory=dict, description="What the plug-in is told, in its own words."
    )
    models_dir: Path | None = Field(
        None, description="Where fetched models lie; if absent, see docs/guide/models.md."
    )
    provider: Literal["cpu", "cuda", "tensorrt"] = Field(
        "cpu", description="What computes under ONNX Runtime: cpu, or on a Jetson cuda or tensorrt."
    )
    fp16: bool = Field(
        False, description="Compute in half precision under tensorrt: faster, and scores differ a little."
    )
    engines_dir: Path | None = Field(
        None,
        description="Where TensorRT's engines are kept; if absent, in the cache of the unit or of the user.",
    )
    threads: int = Field(2, ge=1, le=64, description="CPU threads of one call.")
    batch: int = Field(4, ge=1, le=64, description="Pictures per call at most, if the network takes several.")
    min_score: dict[str, Score] = Field(
        default_factory=dict, description="Least score of a label, instead of the card's."
    )
    twin_iou: float = Field(
        0.8, gt=0, le=1, description="Boxes of two vehicles that overlap more are one; 1 keeps both."
    )
    graph: Literal["off", "basic", "extended", "all"] = Field(
        "all", description="How far ONNX Runtime rewrites the network for speed."
    )
    shadow: ShadowSettings | None = Field(
        None,
        description="A model on trial in the shadow of this one: it comes into use when it has passed, and is "
        "taken back when it fails.",
    )

    @model_validator(mode="after")
    def _a_backend_is_told_only_what_it_obeys(self) -> Self:
        if self.backend == ONNX_RUNTIME and self.options:
            raise ValueError(tr("options are for a plug-in, and backend is {backend}", backend=self.backend))
        if self.backend != ONNX_RUNTIME and self.provider != "cpu":
            raise ValueError(tr("provider is for onnxruntime, and backend is {backend}", backend=self.backend))
        if self.fp16 and self.provider != "tensorrt":
            raise ValueError(
                tr("fp16 is for provider: tensorrt, and provider is {provider}", provider=self.provider)
            )
        if self.backend != ONNX_RUNTIME and self.shadow is not None:
            raise ValueError(
                tr("a model in the shadow runs on onnxruntime, and backend is {backend}", backend=self.backend)
            )
        return self

    @property
    def of_shadow(self) -> DetectorSettings:
        """The same for the model in the shadow, as if it were in use.

        Raises:
            ValueError: there is none.
        """
        if self.shadow is None:
            raise ValueError("no model is in the shadow")
        return self.model_copy(update={"model": self.shadow.model, "card": self.shadow.card, "shadow": None})
