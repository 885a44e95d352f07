"""What of a program's words are messages about something amiss: one each, however many lines it has."""

from __future__ import annotations

import json
import re

LOUD = ("warning", "error", "critical")
FRAME = "│┃┆|"
CALM = re.compile(
    r"\s*$|looking on; |commune \S+, broker |\d+ events \(|setting up \.venv|waiting for the package"
    r"|fetching packages|make(\[\d\])?: \*\*\* "
)
"""What a command says when nothing is amiss; make's last line says only that it ends."""


def plain(text: str) -> tuple[str, ...]:
    """Of standard error: a message begins at the margin, what is indented goes on with it."""
    found: list[str] = []
    panel = False
    for line in text.splitlines():
        if panel or line.startswith(("╭", "Usage: ")):
            # A usage error: how it is called, where to ask, and a panel with what is wrong.
            if not panel:
                found.append("")
                panel = True
            found[-1] += " " + line.strip("╭╮╰╯─│ ")
            panel = not line.startswith("╰")
        elif CALM.match(line) or _said_before(line, found):
            continue
        elif found and found[-1].startswith("usage: "):  # argparse: how it is called, then what is wrong
            found[-1] += " " + line
        elif line[:1].isspace() and found:
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return tuple(
        " ".join(each.split()).replace(" Error ", " ", 1) if each[:1] == " " else each for each in found
    )


def _said_before(line: str, found: list[str]) -> bool:
    """A summary at the end may name once more why."""
    why = line.partition(": ")[2]
    return line.startswith("never connected: ") and any(why in each for each in found)


def table(text: str) -> tuple[str, ...]:
    """Of the table of a check: the rows that are not ok, but for that of this machine's clock."""
    return tuple(each for each in whole_table(text) if not each.startswith("clock: "))


def whole_table(text: str) -> tuple[str, ...]:
    """The rows that are not ok; a command that ends before its table says what else."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if not line.startswith("│"):
            continue
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1] = [f"{one} {other}".strip() for one, other in zip(rows[-1], cells, strict=True)]
    found = tuple(f"{part}: {what} ({verdict})" for part, what, verdict in rows if verdict != "ok")
    return found if rows else plain(text)


def log(text: str) -> tuple[str, ...]:
    """Of a log in JSON: its warnings and errors; and what else is said stands for itself."""
    found: list[str] = []
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            found += plain(line) if not line[:1].isspace() else ()
            if line[:1].isspace() and found:
                found[-1] += " " + line.strip()
            continue
        if said.get("level") in LOUD:
            more = [
                f"{key}: {value}" for key, value in said.items() if key not in ("event", "level", "timestamp")
            ]
            found.append(f"{said['event']}: {'; '.join(more)}")
    return tuple(found)


def ansible(text: str) -> tuple[str, ...]:
    """Of a playbook: what failed, and what Ansible itself says is wrong; each once."""
    found: dict[str, None] = {}
    for block in re.split(r"\n\n|\n(?=fatal: |\[ERROR\]|\[WARNING\]|ERROR! |TASK |PLAY )", text):
        if fatal := re.match(r"fatal: \[(.*?)\]: \w+! => (\{.*\})", block, re.DOTALL):
            said = _json(fatal[2])
            why = said.get("msg", "")
            # Of a command that failed, its own words.
            why = said.get("stderr", why) if why == "non-zero return code" else why
            found[f"{fatal[1]}: {why}"] = None
        elif error := re.match(r"(\[ERROR\]:|ERROR!) (.*)", block, re.DOTALL):
            text = " ".join(error[2].split())
            if not text.startswith("Task failed"):
                found[text] = None
    return tuple(found)


def _json(text: str) -> dict[str, str]:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return {"msg": " ".join(text.split())}
    assert isinstance(found, dict)
    return found
