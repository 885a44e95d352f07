"""Rows become tables on the terminal and JSON on disk: the same values in both."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, object]
"""One line of a table; None where there is nothing to tell."""

PACKAGES = ("numpy", "opencv-python-headless", "av", "onnxruntime", "trackers", "norfair", "trackeval")


def show(title: str, rows: Sequence[Row], console: Console) -> None:
    """Print the rows: those with the same columns share a table; too wide a one lies on its side, in parts."""
    for number, group in enumerate(_alike(rows)):
        heading = title if number == 0 else ""
        table = _upright(heading, group)
        if _fits(table, console):
            console.print(table)
            continue
        rest = group
        while rest:
            most = next((n for n in range(len(rest), 1, -1) if _fits(_lying("", rest[:n]), console)), 1)
            console.print(_lying(heading if rest is group else "", rest[:most]))
            rest = rest[most:]


def write(file: Path, name: str, rows: Sequence[Row]) -> None:
    """Write the rows and what they were measured with."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"benchmark": name, "machine": machine(), "rows": rows}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=_plain) + "\n", encoding="utf-8")


def machine() -> dict[str, object]:
    """What the figures depend on."""
    packages = {name: found for name in PACKAGES if (found := _version(name))}
    cpu = next(_cpu_names(), platform.machine())
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "packages": packages}


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return list(groups.values())


def _fits(table: Table, console: Console) -> bool:
    # Measured with room enough: what is asked for is never told to be more than there is.
    return console.measure(table, options=console.options.update(width=10_000)).minimum <= console.width


def _upright(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        numbers = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numbers else "left")
    for row in rows:
        table.add_row(*map(_text, row.values()))
    return table


def _lying(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for _ in range(len(rows) + 1):
        table.add_column()
    for name in rows[0]:
        table.add_row(name, *(_text(row[name]) for row in rows))
    return table


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> object:
    """NumPy's numbers and paths for JSON."""
    return value.item() if hasattr(value, "item") else str(value)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_names() -> Iterator[str]:
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
