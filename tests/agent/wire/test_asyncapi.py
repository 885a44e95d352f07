"""agent.wire.asyncapi"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from agent.core.types import EventKind
from agent.wire import asyncapi
from agent.wire.channels import CHANNELS, MessageKind
from agent.wire.topics import Topics

DOCUMENT = yaml.safe_load(asyncapi.document())
TOPICS = Topics("hai-ninh", "hai-ninh-03")


def refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from refs(value)


def patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for value in part.values():
            yield from patterns(value)
    elif isinstance(part, list):
        for value in part:
            yield from patterns(value)


def test_every_pattern_means_the_same_and_costs_little_in_any_language() -> None:
    """RE2 counts to 1,000 at most, and what `\\d` takes for a digit differs from language to language."""
    found = set(patterns(DOCUMENT))

    assert any("{64}" in each for each in found)
    for each in found:
        assert not re.search(r"\\[dDwWsSbB]", each), each
        assert max(map(int, re.findall(r"(?<=[{,])[0-9]+(?=[,}])", each)), default=0) <= 1000, each


def test_every_reference_in_the_document_leads_somewhere() -> None:
    for ref in set(refs(DOCUMENT)):
        target = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            target = target[step]


def test_every_parameter_of_an_address_is_described_and_no_other() -> None:
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])


def test_the_names_of_the_channels_are_unique() -> None:
    assert len(DOCUMENT["channels"]) == len(CHANNELS) == len(DOCUMENT["operations"])


def test_the_topics_that_the_agent_uses_are_in_the_document() -> None:
    addresses = {
        channel["address"].replace("{commune}", "hai-ninh").replace("{device}", "hai-ninh-03")
        for channel in DOCUMENT["channels"].values()
    }

    for kind in (MessageKind.STATUS, MessageKind.HELLO, MessageKind.RECEIPT, MessageKind.STATION_STATUS):
        assert TOPICS.of(kind) in addresses
    assert TOPICS.of(MessageKind.COMMAND, verb="{verb}") in addresses


def test_every_kind_of_event_has_its_onvif_topic() -> None:
    mapped = {key.partition(":")[0] for key in asyncapi.ONVIF}

    assert mapped == {str(kind) for kind in EventKind} | {"count"}
    assert DOCUMENT["x-onvif-topics"] == asyncapi.ONVIF


def test_retained_is_said_where_the_topic_is_retained() -> None:
    bindings = {name: operation["bindings"]["mqtt"] for name, operation in DOCUMENT["operations"].items()}

    assert bindings["sendStatus"]["retain"]
    assert not bindings["sendCameraEvent"]["retain"]
    assert not bindings["receiveCommandVerb"]["retain"]
