"""agent.detectors.settings"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detectors.settings import DetectorSettings, ShadowSettings


def test_the_model_in_the_shadow_has_the_settings_of_the_one_in_use_but_for_its_own() -> None:
    shadow = ShadowSettings(model="roads-416", card=Path("roads.yaml"))
    settings = DetectorSettings(model="squares", card=Path("squares.yaml"), threads=3, shadow=shadow)

    as_in_use = DetectorSettings(model="roads-416", card=Path("roads.yaml"), threads=3)
    assert settings.of_shadow == as_in_use


def test_where_nothing_is_in_the_shadow_there_are_no_settings_of_it() -> None:
    with pytest.raises(ValueError, match="no model is in the shadow"):
        _ = DetectorSettings().of_shadow


@pytest.mark.parametrize(("said", "why"), [
    ({"options": {"device": "0"}}, "options are for a plug-in"),
    ({"backend": "ncnn", "provider": "cuda"}, "provider is for onnxruntime"),
    ({"backend": "hailo", "shadow": {"model": "roads-416"}}, "a model in the shadow runs on onnxruntime"),
    ({"backend": "../hailo"}, "should match pattern"),
    ({"provider": "cuda", "fp16": True}, "fp16 is for provider: tensorrt"),
])  # fmt: skip
def test_what_a_backend_would_not_obey_is_refused(said: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DetectorSettings.model_validate(said)
