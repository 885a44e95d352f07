"""agent.wire.topics"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.channels import CHANNELS, Channel, MessageKind
from agent.wire.topics import (
    Topics,
    permissions,
    read,
    retained,
    split,
    station_status_topic,
    subscriptions,
    suffix,
)
from tests.support.strategies import names

TOPICS = Topics("hai-ninh", "hai-ninh-03")
NAMES = {
    "camera": "north", "rule": "r-1", "event_id": "e-1", "kind": "scene", "request_id": "q-1", "file": "f",
    "chunk": "0", "command_id": "c-1", "verb": "ping", "number": "7",
}  # fmt: skip


@given(names, names)
def test_every_topic_of_a_box_splits_into_its_parts(commune: str, device: str) -> None:
    topics = Topics(commune, device)

    assert split(topics.below("camera/north/event")) == (commune, device, "camera/north/event")
    assert split(topics.of(MessageKind.STATION_STATUS)) == (commune, "station", "status")


@pytest.mark.parametrize(
    "name", ["", "a", "x" * 33, "Hai-Ninh", "a/b", "a+b", "#", "hải-ninh", "station", "abc\n"]
)
def test_an_id_that_could_break_a_topic_is_refused(name: str) -> None:
    hint = "use 2 to 32 of a-z, 0-9 and '-', not 'station'"
    with pytest.raises(WireError) as caught:
        Topics("hai-ninh", name)
    assert (caught.value.what, caught.value.hint) == (f"device {name!r} cannot stand in a topic", hint)
    with pytest.raises(WireError) as caught:
        Topics(name, "north-01")
    assert (caught.value.what, caught.value.hint) == (f"commune {name!r} cannot stand in a topic", hint)


@pytest.mark.parametrize("root", ["", "/", "ngatu/", "/ngatu", "ngatu/+", "ngatu/#", "a//b"])
def test_a_root_with_holes_or_wildcards_is_refused(root: str) -> None:
    with pytest.raises(WireError) as caught:
        Topics("hai-ninh", "north-01", root)
    assert caught.value.what == f"root {root!r} cannot begin a topic"
    assert caught.value.hint == "use levels such as ngatu/v1"


@pytest.mark.parametrize("name", [".", "..", "...."])
def test_an_id_of_dots_only_is_no_id_in_a_topic_either(name: str) -> None:
    for topic in (f"ack/{name}", f"camera/north/image/{name}/scene"):
        assert read("box", topic)[0] is MessageKind.UNKNOWN
        assert read("box", topic.replace(name, f"{name}a"))[0] is not MessageKind.UNKNOWN


@given(st.text())
@example("ngatu/v1/abc/def")
@example("x" * 300)
@example("ngatu/v1/abc/def/")
@example("ngatu/v1xabc/def/status")
@example("ngatu/v2/abc/def/status")
def test_a_strange_topic_is_a_wire_error(topic: str) -> None:
    with pytest.raises(WireError) as caught:
        split(topic)
    assert str(caught.value) == f"topic {topic[:200]!r} is not ngatu/v1/{{commune}}/{{device}}/…"


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda each: each.kind)
def test_what_is_made_of_a_channel_is_read_as_it_with_its_names(channel: Channel) -> None:
    kind, found = TOPICS.read(channel.sender, TOPICS.of(channel.kind, **NAMES))

    assert kind is channel.kind
    assert found == {name: value for name, value in NAMES.items() if f"{{{name}}}" in channel.topic}


def test_a_topic_of_the_other_side_of_another_box_or_of_nobody_is_unknown() -> None:
    assert TOPICS.read("box", TOPICS.of(MessageKind.RECEIPT)) == (MessageKind.UNKNOWN, {})
    assert TOPICS.read("station", TOPICS.of(MessageKind.STATUS)) == (MessageKind.UNKNOWN, {})
    assert TOPICS.read("box", Topics("hai-ninh", "other").of(MessageKind.STATUS)) == (MessageKind.UNKNOWN, {})
    assert read("box", "camera/north/mood") == (MessageKind.UNKNOWN, {})
    assert read("box", "camera/north/image/../etc/thumbnail") == (MessageKind.UNKNOWN, {})


def test_a_topic_cannot_be_made_without_its_names() -> None:
    with pytest.raises(KeyError, match="camera"):
        suffix(MessageKind.EVENT)


def covers(topic_filter: str, topic: str) -> bool:
    """Whether a subscription hears a topic (MQTT 5, section 4.7)."""
    wanted, has = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        return has[: len(wanted) - 1] == wanted[:-1]
    return len(wanted) == len(has) and all(w in ("+", h) for w, h in zip(wanted, has, strict=True))


@pytest.mark.parametrize(
    "channel", [each for each in CHANNELS if each.below == "device"], ids=lambda each: each.kind
)
def test_a_topic_is_heard_once_by_the_other_side_and_published_only_by_its_own(channel: Channel) -> None:
    topic = suffix(channel.kind, **NAMES)

    for sender in ("box", "station"):
        wanted = 1 if sender == channel.sender else 0
        heard = 0 if channel.live else wanted
        assert sum(covers(each, topic) for each in subscriptions(sender)) == heard
        allowed = [each.replace("{camera}", NAMES["camera"]) for each in permissions(sender)]
        assert sum(covers(each, topic) for each in allowed) == wanted
        assert all("#" not in each for each in allowed), "no topic may be invented"


def test_all_topics_of_a_box_lie_below_its_root() -> None:
    topics = Topics("hai-ninh", "hai-ninh-03", "elsewhere/v9")

    for channel in CHANNELS:
        topic = topics.of(channel.kind, **NAMES)
        assert topic.startswith("elsewhere/v9/hai-ninh/")
        assert topics.read(channel.sender, topic)[0] is channel.kind
        assert split(topic, "elsewhere/v9")[0] == "hai-ninh"
    assert all(each.startswith("elsewhere/v9/hai-ninh/") for each in topics.subscriptions())


def test_a_box_hears_its_station_too() -> None:
    assert station_status_topic("hai-ninh") in TOPICS.subscriptions()
    assert TOPICS.of(MessageKind.RECEIPT) in TOPICS.subscriptions()


def test_what_may_be_kept_is_what_the_table_says() -> None:
    for channel in CHANNELS:
        topic = TOPICS.of(channel.kind, **NAMES)
        filters = [f"ngatu/v1/{each}" for each in retained(channel.sender)]
        assert any(covers(each, topic) for each in filters) is channel.retained
