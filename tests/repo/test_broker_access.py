"""the broker's acl.j2: it lets pass what the table of channels says, and no more"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.wire.channels import CHANNELS, Channel
from agent.wire.topics import Topics

ROLE = Path(__file__).resolve().parents[2] / "deploy/ansible/roles/ngatu_broker"
TOPICS = Topics("hai-ninh", "hai-ninh-03")
NAMES = {
    "camera": "north", "rule": "r-1", "event_id": "e-1", "kind": "scene", "request_id": "q-1", "file": "f",
    "chunk": "0", "command_id": "c-1", "verb": "ping",
}  # fmt: skip


def access_file() -> str:
    variables: dict[str, Any] = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    place = Environment(
        loader=FileSystemLoader(ROLE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    place.filters["difference"] = lambda one, other: [each for each in one if each not in other]
    return place.get_template("acl.j2").render(
        variables,
        ansible_managed="",
        ngatu_broker_root="ngatu/v1",
        ngatu_broker_communes=["hai-ninh"],
        ngatu_broker_operators=[],
        ngatu_broker_boxes={},
        ngatu_broker_lost=[],
    )


def rules(text: str) -> set[tuple[str, str, str]]:
    """(user, access, filter) of each line; the user of a pattern is 'box'."""
    found, user = set(), ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["user"]:
            user = words[1]
        elif words[:1] == ["pattern"]:
            found.add(("box", words[1], words[2].replace("%u", TOPICS.device)))
        elif words[:1] == ["topic"]:
            found.add((user, words[1], words[2]))
    return found


RULES = rules(access_file())
STATION = "station.hai-ninh"


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

    assert may("box", "write", topic) is box_sends
    assert may("box", "read", topic) is not box_sends
    assert may(STATION, "write", topic) is not box_sends
    assert may(STATION, "read", topic)


def test_no_rule_is_left_that_serves_no_channel() -> None:
    topics = [TOPICS.of(channel.kind, **NAMES) for channel in CHANNELS]

    assert [rule for rule in RULES if not any(covers(rule[2], topic) for topic in topics)] == []


def test_no_box_is_named_in_another_ones_tree() -> None:
    other = Topics("hai-ninh", "hai-ninh-04")

    for channel in CHANNELS:
        if channel.below == "device":
            assert not may("box", "write", other.of(channel.kind, **NAMES))
            assert not may("box", "read", other.of(channel.kind, **NAMES))
