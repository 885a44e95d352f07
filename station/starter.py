"""A station for the first try: a folder here and a broker on this machine, and the file that says so.

The file is written once and is the station's from then on: `-c` gives it to every other command.
"""

from __future__ import annotations

import json
from pathlib import Path

from agent.errors import ConfigError
from agent.translatable import tr
from station.config import FIRST_TRY, StationConfig, load, parse

FOLDER, FILE = FIRST_TRY.parent, FIRST_TRY.name


def starter_file(folder: Path, commune: str, host: str | None = None, port: int | None = None) -> Path:
    """The file in `folder`, written if it is not there; the broker is on this machine unless it is named.

    Raises:
        ConfigError: a value is wrong, the file cannot be written, or it is there and says otherwise.
    """
    path = folder / FILE
    if path.exists():
        _agrees(load(path), path, commune, host, port)
        return path
    parse(f"commune: {json.dumps(commune)}\n".encode(), "--commune")  # before it stands there twice
    lines = {"commune": commune, "name": commune, "state_dir": str(folder.resolve())}
    text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())
    text += f"broker:\n  host: {json.dumps(host or '127.0.0.1')}\n  port: {port or 1883}\nweb: {{}}\n"
    parse(text.encode(), str(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = tr("{path}: cannot be written: {reason}", path=path, reason=error.strerror or error)
        raise ConfigError(
            what, tr("go to a folder that this user may write, or name one with --folder")
        ) from None
    return path


def _agrees(config: StationConfig, path: Path, commune: str, host: str | None, port: int | None) -> None:
    """Raises ConfigError if the file says otherwise than the command: one of the two is a slip."""
    broker = config.broker
    for name, said, asked in (
        ("commune", config.commune, commune),
        ("broker.host", broker.host, host),
        ("broker.port", broker.port, port),
    ):
        if asked is not None and said != asked:
            what = tr("{path}: {name} is {said}, not {asked}", path=path, name=name, said=said, asked=asked)
            raise ConfigError(what, tr("change it there, or name another folder with --folder"))
