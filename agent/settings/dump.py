"""Values written as YAML that our own reader accepts, and takes for the same."""

from __future__ import annotations

from typing import Any

import yaml

from agent.settings.scalars import resolve


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 or our own reader would not take for a text, and knows no aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if resolve(text) == (text, None) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def dumped(values: Any) -> str:
    """As a block of lines, each setting in one of its own.

    What our reader refuses, such as unprintable characters, is written all the same: the reader tells of it.
    """
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def in_one_line(value: Any) -> str:
    """As one line: `{id: junction, polygon: [[0.35, 0.37], …]}`."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=True
    )
    return str(text).removesuffix("\n...\n").rstrip("\n")
