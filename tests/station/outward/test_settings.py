"""station.outward.settings"""

from __future__ import annotations

import json

import pytest

from agent.errors import ConfigError
from station.config import StationConfig, parse, warnings

HOOK = {"name": "dispatch", "url": "https://dispatch.example/hook", "secret": {"env": "DISPATCH"}}


def config(outward: object, **more: object) -> StationConfig:
    return parse(json.dumps({"commune": "hai-ninh", "outward": outward, **more}).encode(), "station.yaml")


def test_a_webhook_is_read_with_its_defaults() -> None:
    (hook,) = config({"webhooks": [HOOK]}).outward.webhooks

    assert (hook.kinds, hook.severities, hook.networks, hook.patience_h) == ((), (), (), 120.0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://dispatch.example/hook", "in the clear"),
        ("https://user:password@dispatch.example/", "signed by secret"),
        ("ftp://dispatch.example/", "no address"),
        ("https:///hook", "no address"),
        ("https://dispatch.example:99999/", "no address"),
        ("https://dispatch.example/\nX: y", "no address"),
        ("/hook", "no address"),
    ],
)
def test_an_address_that_is_unsafe_or_none_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config({"webhooks": [{**HOOK, "url": url}]})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_http_is_for_this_machine(host: str) -> None:
    assert config({"webhooks": [{**HOOK, "url": f"http://{host}:8080/"}]})


def test_two_of_one_name_and_a_network_that_is_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="more than one webhook is called dispatch"):
        config({"webhooks": [HOOK, HOOK]})
    with pytest.raises(ConfigError, match="no network"):
        config({"webhooks": [{**HOOK, "networks": ["10.0.0.1/8"]}]})


@pytest.mark.parametrize(
    ("republish", "words"),
    [
        ({"frigate": {"prefix": "ngatu/v1/hai-ninh"}}, "where boxes and station speak"),
        ({"frigate": {"prefix": "ngatu"}}, "where boxes and station speak"),
        ({"frigate": {"prefix": "duty"}, "onvif": {"prefix": "duty/onvif"}}, "are not apart"),
        ({"frigate": {"prefix": "a/+"}}, "no levels"),
        ({"frigate": {"prefix": "a//b"}}, "no levels"),
        ({"onvif": {"prefix": "$SYS"}}, "no levels"),
    ],
)
def test_a_prefix_stays_out_of_everybody_elses_tree(republish: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config({"republish": republish})


def test_a_prefix_stays_out_of_a_root_of_ones_own_too() -> None:
    assert config({"republish": {"frigate": {"prefix": "boxes/x"}}})
    with pytest.raises(ConfigError, match="where boxes and station speak"):
        config({"republish": {"frigate": {"prefix": "boxes/x"}}}, broker={"root": "boxes"})


def test_nothing_leaves_by_default_and_whoever_wants_it_without_a_screen_is_warned() -> None:
    least = parse(b"commune: hai-ninh", "station.yaml")
    assert (least.outward.webhooks, least.outward.republish.prefixes) == ((), ())
    assert not [each for each in warnings(least) if "outward" in each]

    assert [each for each in warnings(config({"webhooks": [HOOK]})) if "outward needs web" in each]
    assert not [each for each in warnings(config({"webhooks": [HOOK]}, web={})) if "outward" in each]
