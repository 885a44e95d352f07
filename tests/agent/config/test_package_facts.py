"""agent.config.package_facts"""

from __future__ import annotations

from dataclasses import replace

from agent.clock import Trust
from agent.config.package_facts import package_facts
from agent.config.schema import Config, config_sha256, parse
from tests.agent.evidence.clips.test_files import STORED
from tests.support.footage import HandClock

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def config(camera: str) -> Config:
    return parse(
        f"device: {{commune: hai-ninh, id: hai-ninh-03}}\nbroker: {{host: localhost}}\n"
        f"evidence: {{recipient: {RECIPIENT}}}\ncameras: [{{name: north, {camera}}}]\n".encode(),
        "box.yaml",
    )


def test_it_says_which_box_with_which_configuration_and_detector() -> None:
    settings = config("source: {kind: csi}")
    clock = HandClock()

    facts = package_facts(settings, {"python": "3.11"}, ("yolox", "ab" * 32), clock, lambda: Trust("rtc"))
    found = facts([STORED])

    assert (found.box.device, found.box.role, found.box.model) == ("hai-ninh-03", "community", "yolox")
    assert found.box.config_sha256 == config_sha256(settings)
    assert found.box.utc_offset_s == 7 * 3600
    assert (found.made.timestamp(), found.made_clock) == (clock.wall_s, "rtc")


def test_of_each_boot_it_says_the_best_that_is_known_of_its_clock() -> None:
    facts = package_facts(config("source: {kind: csi}"), {}, None, HandClock(), lambda: Trust("ntp"))
    unsure = replace(STORED, clock="unknown", wall_s=STORED.start.wall_s)
    corrected = replace(STORED, clock="unknown", boot="boot-2", wall_s=STORED.start.wall_s + 30)

    clocks = {each.boot: each for each in facts([unsure, replace(unsure, clock="ntp"), corrected]).clocks}

    assert clocks["boot-1"].state == "ntp"
    assert clocks["boot-2"].state == "corrected"  # by NTP or by a battery clock: the ring does not keep which
    assert clocks["boot-2"].wall.timestamp() == corrected.wall_s
    assert facts([unsure]).clocks[0].state == "unknown"
