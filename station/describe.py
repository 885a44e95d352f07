"""Writes the example and the reference of a station and of a worker of the province out of their settings.

python -m station.describe          writes the files, from the root of the checkout
python -m station.describe --check  exit 1 if one of them is not what the code says
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.settings.reference import example, page, write
from station.config import EXAMPLES, StationConfig
from station.province.settings import EXAMPLES as PROVINCE_EXAMPLES
from station.province.settings import ProvinceConfig

EXAMPLE = Path("station.example.yaml")
PAGE = Path("docs/reference/station.md")
EXAMPLE_HEAD = """\
# Every setting of an ngatu station with its default; leave out what you do not change.
# Needed is the commune.
#
# A line such as '#password: …' is not set: take its '#' away to use it, and remove the line it replaces.
# A secret never stands here: it lies in an environment variable, {env: NAME}, or in a file, {file: /path}.
# 'ngatu station check -c FILE' judges a file.
"""
PAGE_HEAD = """\
# Configuration of a station

One YAML file describes a station.
Needed is `commune`; everything else has a default.
[`station.example.yaml`](../../station.example.yaml) shows every setting in its place;
`ngatu station check -c FILE` judges a file.
The file is read as strictly as a box's: see the rules in [Configuration](config.md).

This page is written from the code by `make docs`.
"""
PROVINCE_EXAMPLE = Path("province.example.yaml")
PROVINCE_PAGE = Path("docs/reference/province.md")
PROVINCE_HEAD = """\
# Every setting of a worker of the province with its default; leave out what you do not change.
# Needed are the shard and the database, which is PostgreSQL.
#
# A secret never stands here: it lies in an environment variable, {env: NAME}, or in a file, {file: /path}.
# 'ngatu province check -c FILE' judges a file.
"""
PROVINCE_PAGE_HEAD = """\
# Configuration of a worker of the province

One YAML file describes a worker.
Needed are `shard` and `database.url`; everything else has a default.
[`province.example.yaml`](../../province.example.yaml) shows every setting in its place;
`ngatu province check -c FILE` judges a file.
The file is read as strictly as a box's: see the rules in [Configuration](config.md).

This page is written from the code by `make docs`.
"""


def example_text() -> str:
    """station.example.yaml."""
    return example(StationConfig, EXAMPLES, EXAMPLE_HEAD)


def page_text() -> str:
    """docs/reference/station.md."""
    return page(StationConfig, PAGE_HEAD)


def province_text() -> str:
    """province.example.yaml."""
    return example(ProvinceConfig, PROVINCE_EXAMPLES, PROVINCE_HEAD)


def province_page() -> str:
    """docs/reference/province.md."""
    return page(ProvinceConfig, PROVINCE_PAGE_HEAD)


def main(arguments: list[str]) -> int:
    """Write the files below the current folder, or with --check tell which differ."""
    of_station = {EXAMPLE: example_text(), PAGE: page_text()}
    of_province = {PROVINCE_EXAMPLE: province_text(), PROVINCE_PAGE: province_page()}
    return write(of_station | of_province, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
