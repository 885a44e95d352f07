"""agent.status.session"""

from __future__ import annotations

from agent import __version__
from agent.status.session import versions


def test_a_session_names_the_agent_its_language_and_its_system_beside_what_is_installed() -> None:
    named = versions()

    assert named["ngatu"] == __version__
    assert {"python", "system", "numpy", "onnxruntime"} <= set(named)
    assert all(named.values())
