"""the broker's acl.j2: it lets pass what the table of channels says, and no more"""

from __future__ import annotations

from typing import Any

import pytest

from agent.wire.channels import CHANNELS, Channel
from agent.wire.topics import Topics, retained
from tests.support.role_broker import rendered

TOPICS = Topics("hai-ninh", "hai-ninh-03")
NAMES = {
    "camera": "north", "rule": "r-1", "event_id": "e-1", "kind": "scene", "request_id": "q-1", "file": "f",
    "chunk": "0", "command_id": "c-1", "verb": "ping", "number": "7",
}  # fmt: skip


OUTWARD = {"hai-ninh": ["frigate", "homeassistant/device/hai-ninh"], "elsewhere": ["far"]}
HOME = "operator.home-assistant"


def access_file(**more: Any) -> str:
    return rendered(
        "acl.j2",
        **more,
        ngatu_broker_communes=["hai-ninh", "hai-tay"],
        ngatu_broker_operators=[],
        ngatu_broker_boxes={"hai-ninh-03": "hai-ninh", "hai-tay-01": "hai-tay", "far-01": "elsewhere"},
        ngatu_broker_cameras={"hai-ninh-03": ["north"]},
        hostvars={"hai-tay-01": {"ngatu_agent_cameras": [{"name": "gate"}]}},
        ngatu_broker_lost=["lost-01"],
    )


def rules(text: str) -> set[tuple[str, str, str]]:
    """(user, access, filter) of each line."""
    found, user = set(), ""
    for line in text.splitlines():
        words = line.split()
        assert words[:1] != ["pattern"], "a pattern would be for boxes of no list, too"
        if words[:1] == ["user"]:
            user = words[1]
        elif words[:1] == ["topic"]:
            found.add((user, words[1], words[2]))
    return found


RULES = rules(access_file())
OPENED = rules(access_file(ngatu_broker_outward=OUTWARD, ngatu_broker_outward_readers=[HOME]))
STATION, BOX = "station.hai-ninh", TOPICS.device


def covers(rule: str, topic: str) -> bool:
    wanted, has = rule.split("/"), topic.split("/")
    if wanted[-1] == "#":
        return has[: len(wanted) - 1] == wanted[:-1]
    return len(wanted) == len(has) and all(w in ("+", h) for w, h in zip(wanted, has, strict=True))


def may(user: str, access: str, topic: str) -> bool:
    return any(covers(rule, topic) for who, how, rule in RULES if (who, how) == (user, access))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda each: each.kind)
def test_each_side_may_publish_its_channels_and_read_those_of_the_other(channel: Channel) -> None:
    topic = TOPICS.of(channel.kind, **NAMES)
    box_sends = channel.sender == "box"

    assert may(BOX, "write", topic) is box_sends
    assert may(BOX, "read", topic) is not box_sends
    assert may(STATION, "write", topic) is not box_sends
    assert may(STATION, "read", topic)


def test_no_rule_is_left_that_serves_no_channel() -> None:
    names = [NAMES, NAMES | {"camera": "box"}]
    topics = [TOPICS.of(channel.kind, **each) for channel in CHANNELS for each in names]
    ours = [rule for rule in RULES if rule[0] in (BOX, STATION)]

    assert [rule for rule in ours if not any(covers(rule[2], topic) for topic in topics)] == []


def test_no_box_is_named_in_another_ones_tree() -> None:
    other = Topics("hai-ninh", "hai-ninh-04")
    elsewhere = Topics("hai-tay", BOX)

    for channel in CHANNELS:
        if channel.below == "device":
            for place in (other, elsewhere):
                assert not may(BOX, "write", place.of(channel.kind, **NAMES))
                assert not may(BOX, "read", place.of(channel.kind, **NAMES))


@pytest.mark.parametrize(("box", "cameras"), [(BOX, {"north", "box"}), ("hai-tay-01", {"gate", "box"})])
def test_a_box_may_name_its_own_cameras_only(box: str, cameras: set[str]) -> None:
    """By the list of the role, or else by the box's own variables."""
    named = {rule[2].split("/")[5] for rule in RULES if rule[0] == box and "/camera/" in rule[2]}

    assert named == cameras


def test_nothing_that_may_be_kept_can_be_invented() -> None:
    kept = [f"ngatu/v1/{each}" for each in retained("box")]
    written = [rule[2] for rule in RULES if rule[:2] == (BOX, "write")]

    assert all("+" not in each for each in written if any(covers(keep, each) for keep in kept))
    assert sum(any(covers(keep, each) for keep in kept) for each in written) == 5


def test_a_lost_box_and_one_of_a_commune_that_is_elsewhere_may_nothing() -> None:
    assert {rule[1] for rule in RULES if rule[0] == "lost-01"} == {"deny"}
    assert not [rule for rule in RULES if rule[0] == "far-01"]


def test_what_a_station_says_to_other_programs_changes_nothing_for_any_box() -> None:
    more = OPENED - RULES

    assert RULES <= OPENED
    assert more == {
        (STATION, "write", "frigate/#"), (STATION, "write", "homeassistant/device/hai-ninh/#"),
        (HOME, "read", "frigate/#"), (HOME, "read", "homeassistant/device/hai-ninh/#"),
    }  # fmt: skip


def test_by_default_a_station_says_nothing_to_other_programs() -> None:
    assert not [rule for rule in RULES if not rule[2].startswith(("ngatu/v1/", "#", "$SYS"))]


def test_only_the_stations_door_keeps_what_is_said_to_other_programs() -> None:
    text = rendered("mosquitto.conf.j2", ngatu_broker_communes=["hai-ninh"], ngatu_broker_outward=OUTWARD)
    boxes, stations = text.split("plugin_opt_door stations")

    assert "plugin_opt_keep frigate/#" not in boxes
    assert "plugin_opt_keep frigate/#\nplugin_opt_keep homeassistant/device/hai-ninh/#" in stations
    assert "far/#" not in text
