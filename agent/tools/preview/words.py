"""The words of the page, by the names by which page.html and page.js ask for them. None has a placeholder."""

from __future__ import annotations

from typing import Final

from agent.core.rules.registry import KINDS
from agent.language import translated
from agent.translatable import tr
from agent.wire import words as wire

WORDS: Final[dict[str, str]] = {
    "layers": tr("Shown over the picture"),
    "layer_motion": tr("Motion"),
    "layer_crops": tr("Where the detector looks"),
    "layer_tracks": tr("Road users"),
    "layer_places": tr("Zones, lines, masks"),
    "draw_zone": tr("Zone"),
    "draw_line": tr("Line"),
    "draw_mask": tr("Mask"),
    "drawing_zone": tr("Touch the corners of the zone one after the other, then touch Done."),
    "drawing_line": tr("Touch where the line begins, then where it ends."),
    "drawing_mask": tr("Touch the corners of what nobody may see, one after the other, then touch Done."),
    "done": tr("Done"),
    "undo": tr("Undo"),
    "cancel": tr("Cancel"),
    "delete": tr("Delete"),
    "turn": tr("Turn round"),
    "name": tr("Name"),
    "zone": tr("Zone"),
    "line": tr("Line"),
    "mask": tr("Mask"),
    "rules_elsewhere": tr("Rules for the whole view"),
    "add_rule": tr("Add a rule"),
    "zone_needs_rule": tr("A zone alone tells nothing: add a rule."),
    "severity": tr("Severity"),
    "places": tr("Zones, lines and masks"),
    "nothing_drawn": tr("Nothing is drawn yet."),
    "move_corners": tr("Touch a place to choose it, then drag its corners."),
    "mask_not_in_force": tr(
        "A mask that is drawn here hides nothing yet: it holds once it is in the file and the agent was "
        "started anew."
    ),
    "mask_still_in_force": tr(
        "A mask that was taken out here still hides its part: it goes once it is out of the file and the agent "
        "was started anew."
    ),
    "not_saved": tr("Nothing of this is in the file yet. Copy the lines below into it."),
    "same_as_file": tr("The file says the same."),
    "right": tr("`ngatu check` accepts this."),
    "wrong": tr("This is not right yet:"),
    "to_paste": tr("For the file"),
    "paste_where": tr("In the place of the same settings, below this camera in the file:"),
    "copy": tr("Copy"),
    "copied": tr("Copied"),
    "not_copied": tr("It is marked: copy it with the menu."),
    "read_file": tr("Read the file again"),
    "read_file_sure": tr("What is drawn here and not in the file is lost. Go on?"),
    "happens": tr("What happens now"),
    "nothing_happened": tr("No event yet."),
    "by_drawing": tr("Events here are told by the rules as they are drawn, and go to nobody."),
    "try": tr("Try the rules on recorded video"),
    "no_footage": tr(
        "Record a piece with `ngatu record piece.mp4`, and start the preview with `--video piece.mp4`."
    ),
    "start": tr("Try"),
    "stop": tr("Stop"),
    "would_have_told": tr("These events would have been told"),
    "none_told": tr("No event would have been told."),
    "more_told": tr("Further events without a picture"),
    "hours_not_regarded": tr("The hours of rules are not regarded here."),
    "running": tr("Looking at the video"),
    "stopped": tr("Stopped before its end"),
    "seconds": tr("seconds"),
    "waiting": tr("Waiting for the first picture"),
    "gone": tr("The preview does not answer: was it ended, or is the network gone?"),
    "settling": tr("learning the scene"),
    "rests": tr("the detector rests"),
    "per_second": tr("pictures a second"),
    "stands": tr("stands"),
    "cannot_see": tr("The camera cannot see"),
}

OF_THE_WIRE: Final = {
    "event": wire.KINDS,
    "label": wire.LABELS,
    "direction": wire.DIRECTIONS,
    "severity": wire.SEVERITIES,
    "fault": wire.DETAILS,
}
"""What is shown of events and of sight; `event_crowd` is the page's name of a word."""


def in_language(code: str) -> dict[str, str]:
    """All of them in one language; the meaning of each kind of rule under `kind_` and its name."""
    named = {f"kind_{kind.name}": kind.rule.meaning for kind in KINDS}
    for group, words in OF_THE_WIRE.items():
        named |= {f"{group}_{word}": shown for word, shown in words.items()}
    return {name: translated(words, code) for name, words in {**WORDS, **named}.items()}
