"""agent.status.metrics"""

from __future__ import annotations

import subprocess
import sys
import urllib.request

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.errors import NgatuError
from agent.status.health import Sources, report
from agent.status.metrics import serve
from tests.agent.status.test_health import post, sources
from tests.agent.workers.watching.test_camera import Post
from tests.conftest import SteppedClock
from tests.support.brokers import free_port

__all__ = ["post", "sources"]


def scraped(port: int) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, sample.labels.get("camera", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_same_figures_are_served_on_loopback_only(
    post: Post, sources: Sources, clock: SteppedClock
) -> None:
    post.see(4)
    post.see(3, speed_px_s=130)
    health = report(sources, clock)
    port = free_port()
    end = serve(port, lambda: report(sources, clock))
    try:
        figures = scraped(port)
        listens = {each.laddr.ip for each in psutil.Process().net_connections("tcp") if each.laddr.port == port}
    finally:
        end()

    assert listens == {"127.0.0.1"}
    assert figures["ngatu_outbox_pending", ""] == 3
    assert figures["ngatu_outbox_dropped_image", ""] == 4
    assert figures["ngatu_cpu_temp_c", ""] == 51.234
    assert figures["ngatu_throttled_under_voltage_since_boot", ""] == 1
    assert figures["ngatu_throttled_frequency_capped_since_boot", ""] == 0
    assert figures["ngatu_degraded", ""] == len(health.degraded)
    assert figures["ngatu_camera_streaming", "road"] == 0
    assert figures["ngatu_camera_detect_ms_p95", "road"] == health.cameras["road"].detect_ms_p95
    with pytest.raises(OSError, match="refused"):
        scraped(port)


def test_a_port_that_is_taken_is_told_in_words(sources: Sources, clock: SteppedClock) -> None:
    port = free_port()
    end = serve(port, lambda: report(sources, clock))
    try:
        with pytest.raises(NgatuError, match=f"health.metrics_port: port {port} cannot be used"):
            serve(port, lambda: report(sources, clock))
    finally:
        end()


def test_an_agent_holds_no_library_that_it_does_not_use() -> None:
    """They came along with the log and the figures for Prometheus: 6 MB of a small box."""
    code = "import sys, agent.cli.main, agent.runtime.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    held = {name.partition(".")[0] for name in done.stdout.split()}
    assert not held & {"prometheus_client", "rich", "pygments", "av"}
