"""agent.wire.channels"""

from __future__ import annotations

import re

from agent.wire.channels import CHANNEL, CHANNELS, PARAMETERS, Format, MessageKind
from agent.wire.payloads import Posted


def test_every_kind_of_message_but_the_unknown_has_one_channel() -> None:
    assert [each.kind for each in CHANNELS] == [kind for kind in MessageKind if kind is not MessageKind.UNKNOWN]
    assert len(CHANNEL) == len(CHANNELS)


def test_every_name_in_a_topic_is_described_and_no_other() -> None:
    used = {name for each in CHANNELS for name in re.findall(r"\{(\w+)\}", each.topic)}

    assert used | {"commune", "device"} == set(PARAMETERS)


def test_what_lies_in_the_outbox_comes_from_the_box_and_is_never_retained() -> None:
    for channel in CHANNELS:
        assert not (channel.kept and (channel.retained or channel.sender != "box")), channel.kind


def test_bytes_and_json_with_a_place_in_a_stream_lie_in_the_outbox_but_for_what_is_live() -> None:
    for channel in CHANNELS:
        placed = isinstance(channel.payload, Format) or issubclass(channel.payload, Posted)
        assert channel.kept or channel.live or not placed, channel.kind


def test_what_lies_in_the_outbox_tells_its_place_in_a_stream_in_its_schema_too() -> None:
    for channel in CHANNELS:
        if channel.kept and not isinstance(channel.payload, Format):
            assert issubclass(channel.payload, Posted), channel.kind


def test_what_is_live_is_kept_nowhere() -> None:
    assert [each.kind for each in CHANNELS if each.live] == [MessageKind.LOOK]
    assert not any(each.kept or each.retained for each in CHANNELS if each.live)
