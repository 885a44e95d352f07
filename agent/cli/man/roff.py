r"""Words of ours in the language of man pages: roff with the macros of man(7).

What comes out is ASCII, so it reads the same under every locale, and in groff as in mandoc: other letters stand
as \[uXXXX] (groff_char(7)). A piece of code, which the commands' own texts mark with backticks, is bold.
"""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    r"""Text that roff shows as it is: no backslash, no control character where a line begins, real hyphens."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    ascii_only = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in plain)
    return rf"\&{ascii_only}" if ascii_only.startswith((".", "'")) else ascii_only


def bold(text: str) -> str:
    """In bold, as what is typed as it stands."""
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    """In italics, or underlined: what stands for something else."""
    return rf"\fI{escaped(text)}\fR"


def line(text: str) -> str:
    """One line of prose: blanks and line ends become single blanks, `code` becomes bold."""
    pieces = re.split(r"`([^`]+)`", " ".join(text.split()))
    return "".join(bold(each) if index % 2 else escaped(each) for index, each in enumerate(pieces) if each)
