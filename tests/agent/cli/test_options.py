"""agent.cli.options"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from agent.cli.options import pair_without_authority, settings_of, topic_name, topic_root
from station.ingest.settings import SubscriberSettings

OPTIONS = {"port": "--port", "communes": "--commune", "host": "--host"}


@pytest.mark.parametrize(("values", "option", "what"), [
    ({"port": 99_999}, "--port", "99999 is outside 1..65535"),
    ({"communes": ("Hải Ninh",)}, "--commune", "\"Hải Ninh\" is not 2 to 32 of a-z, 0-9 and '-'"),
    ({"host": "a..b"}, "--host", '"a..b" cannot be a host name'),
])  # fmt: skip
def test_a_wrong_value_is_told_under_the_name_of_its_option(
    values: dict[str, Any], option: str, what: str
) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        settings_of(SubscriberSettings, OPTIONS, **values)

    assert (caught.value.param_hint, caught.value.message) == (option, what)


def test_right_values_become_settings() -> None:
    assert settings_of(SubscriberSettings, OPTIONS, port=1, communes=("hai-ninh",)).communes == ("hai-ninh",)


def test_a_pair_is_refused_where_nothing_would_be_encrypted() -> None:
    ca, pair = Path("ca.crt"), (Path("a.crt"), Path("a.key"))
    with pytest.raises(typer.BadParameter, match="goes only with --tls-ca"):
        pair_without_authority(None, *pair, "--tls-ca")
    with pytest.raises(typer.BadParameter) as caught:
        pair_without_authority(None, None, pair[1])

    assert caught.value.param_hint == "--key"
    pair_without_authority(ca, *pair)
    pair_without_authority(None, None, None)


@pytest.mark.parametrize("name", ["Hải Ninh", "station", "a", "x" * 33, "-/-"])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(typer.BadParameter, match="of a-z, 0-9 and '-'"):
        topic_name(name)
    assert topic_name("hai-ninh") == "hai-ninh"


def test_a_root_that_no_topic_may_begin_with_is_refused() -> None:
    assert topic_root("ngatu/v1") == "ngatu/v1"
    with pytest.raises(typer.BadParameter, match="use levels such as ngatu/v1"):
        topic_root("ngatu/#")
