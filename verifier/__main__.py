"""`python -m verifier`: needs nothing but Python and `cryptography`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

from agent.errors import NgatuError, UsageError
from agent.language import translated
from agent.translatable import tr
from verifier.run import run


def main(words: list[str] | None = None) -> int:
    """The exit code: 0 authentic, 1 anything else, 2 a word of the command is wrong, 70 a fault of ours."""
    parser = argparse.ArgumentParser(
        prog="ngatu-verify",
        description=translated(tr("Say whether a package of footage is what a box signed.")),
    )
    parser.add_argument("package", type=Path, help=translated(tr("the package: a folder, or a ZIP file")))
    parser.add_argument("--key", type=Path, required=True, help=translated(tr("the box's public key, PEM")))
    parser.add_argument(
        "--station", type=Path, help=translated(tr("the station's public key: judges custody.log, too"))
    )
    parser.add_argument("--json", action="store_true", help=translated(tr("one object of JSON, for programs")))
    asked = parser.parse_args(words)
    try:
        authentic = run(asked.package, asked.key, asked.station, asked.json, _say)
        sys.stdout.flush()  # not at the end of the interpreter, which tells of a closed pipe in its own words
    except NgatuError as error:
        sys.stderr.write(f"{translated(error)}\n")
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # whoever read it has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # a court is shown no traceback
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        sys.stderr.write(
            translated(tr("ngatu-verify is broken: {text}\n  hint: report this line", text=text)) + "\n"
        )
        return 70
    return 0 if authentic else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def begin() -> int:
    """The same, on a terminal of any kind: what it cannot show is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return main()


if __name__ == "__main__":
    sys.exit(begin())
