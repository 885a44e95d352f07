"""How far an order is, and why a box did not do it, in the words of the duty room. Pure.

A box gives its reasons in English, as plain text. Those that it gives most are known here by their form;
another one, perhaps of a newer box, is shown as the box said it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from agent.printable import printable
from agent.translatable import tr

_KNOWN: Final[tuple[tuple[str, Callable[[re.Match[str]], str]], ...]] = (
    (
        r"unsigned: .*",
        lambda _: tr("this box does only what is signed, and the console has no key: tell the administrator"),
    ),
    (
        r"the signature is not the station's",
        lambda _: tr("the key of the console is not the one that this box knows: tell the administrator"),
    ),
    (
        r"expired|it expires before .*",
        lambda _: tr("it came too late: the box was not connected, or its clock is wrong"),
    ),
    (
        r"issued in the future: .*",
        lambda _: tr("the clocks of box and station differ by minutes: tell the technician"),
    ),
    (
        r"it is for another session .*",
        lambda _: tr("the box was started again meanwhile; if it is still wanted, order it anew"),
    ),
    (
        r"not done: the box was started again .*|cut off: the box was started again .*",
        lambda _: tr("the box was started again meanwhile; if it is still wanted, order it anew"),
    ),
    (
        r"no picture within (?P<seconds>[\d.]+) s: the camera is .*",
        lambda found: tr("the camera gave no picture within {seconds} s", seconds=found["seconds"]),
    ),
    (
        r"camera (?P<camera>\S+) gives no pictures: paused .*",
        lambda found: tr("camera {camera} is paused", camera=found["camera"]),
    ),
    (
        r"(?P<who>.+) looks at camera \S+ already, for (?P<seconds>\d+) s more: .*",
        lambda found: tr(
            "{who} is looking through this camera, for {seconds} s more",
            who=found["who"],
            seconds=found["seconds"],
        ),
    ),
    (
        r"there is no camera '(?P<camera>[^']*)'; .*",
        lambda found: tr("the box has no camera {camera}", camera=found["camera"]),
    ),
    (r"nobody looked any more", lambda _: tr("nobody was looking any more")),
    (r"the camera gave no picture", lambda _: tr("the camera gave no picture")),
    (
        r"no picture went out: .*",
        lambda _: tr("no picture went out: the network is too slow now, or its bytes of today are used up"),
    ),
    (r"cut short: the agent stops", lambda _: tr("the box was stopped in the middle of it")),
    (
        r"the last good configuration is kept: .*",
        lambda _: tr(
            "the new settings are wrong; the box goes on with the last good ones: tell the technician"
        ),
    ),
    (r"this box was not started from a file", lambda _: tr("this box has no file of settings to read again")),
    (r"the pause has ended before it could begin", lambda _: tr("the pause was over before it could begin")),
    (
        r"a pause ends after it was commanded, .*",
        lambda _: tr("a pause must end later than now, and within thirty days"),
    ),
)


def reason(detail: str | None) -> str | None:
    """Why, as the duty room says it; None: the box gave no reason."""
    if not detail:
        return None
    line = printable(detail)
    for form, words in _KNOWN:
        if found := re.fullmatch(form, line, re.DOTALL):
            return words(found)
    return tr("the box says: “{detail}”", detail=line[:300])
