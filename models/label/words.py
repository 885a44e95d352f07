"""The words of the page, by the names by which it asks for them. None has a placeholder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.language import translated
from agent.translatable import tr

WORDS: Final[dict[str, str]] = {
    "title": tr("Label pictures"),
    "private": tr("Pictures stay on this machine: the page sends them nowhere."),
    "saved": tr("saved"),
    "saving": tr("saving"),
    "not_saved": tr("Not saved yet: the program does not answer. It is tried again; leave this page open."),
    "gone": tr("The program does not answer: was it ended? What was said to be saved is saved."),
    "refused": tr("The last change was not taken. What is shown now is what is saved."),
    "conflict": tr("This picture was changed in another tab or by another person. What is saved is shown now."),
    "mine": tr("Put back what I had"),
    "keep": tr("Keep what is shown"),
    "done": tr("done"),
    "left": tr("to do"),
    "all": tr("all"),
    "previous": tr("Previous"),
    "next": tr("Next"),
    "next_open": tr("Next that is not done"),
    "all_done": tr("Every picture is done or unsure."),
    "accept_next": tr("Done: next picture"),
    "accept_all": tr("Accept all"),
    "reject_all": tr("Take all away"),
    "nothing": tr("Nothing in it"),
    "nothing_sure": tr("There are boxes: delete them, or take all proposals away (R), and say it again."),
    "empty_ask": tr("No box is drawn. If there is nothing in this picture, say so: Nothing in it (E)."),
    "unsure": tr("Unsure"),
    "new_box": tr("New box"),
    "delete": tr("Delete"),
    "ignored": tr("Ignored region"),
    "undo": tr("Take back"),
    "redo": tr("Do again"),
    "fit": tr("Whole picture"),
    "larger": tr("Larger"),
    "smaller": tr("Smaller"),
    "overview": tr("All pictures"),
    "back": tr("Back to the picture"),
    "help": tr("Help"),
    "close": tr("Close"),
    "labels": tr("Labels"),
    "box": tr("Chosen box"),
    "picture": tr("Picture"),
    "progress": tr("Progress"),
    "camera": tr("Camera"),
    "no_camera": tr("no camera named"),
    "state": tr("State"),
    "more": tr("Show more"),
    "none_here": tr("No picture is like that."),
    "state_open": tr("not looked at"),
    "state_begun": tr("begun"),
    "state_done": tr("done"),
    "state_empty": tr("nothing in it"),
    "state_unsure": tr("unsure"),
    "state_fault": tr("unreadable"),
    "proposals": tr("proposals"),
    "proposal": tr("proposal"),
    "boxes": tr("boxes drawn"),
    "looking": tr("A detector looks at the pictures and proposes boxes."),
    "fault": tr("This picture cannot be shown:"),
    "no_box": tr("No box is chosen."),
    "too_small": tr("That was too small for a box: drag from corner to corner."),
    "written": tr("What is done is written to"),
    "stage_name": tr("The picture. Drag to draw a box; the key H shows all keys."),
    "help_riders": tr(
        "One box holds a two-wheeler and everybody on it. "
        "Who pushes it or walks beside it is a person of their own."
    ),
    "help_all": tr(
        "Draw every road user that you can tell, also the half hidden and the far ones: what is left out is "
        "learned as background. The box goes around what can be seen."
    ),
    "help_ignored": tr(
        "Where many stand so close that nobody can tell them apart, or all is too far: one box around them, as "
        "an ignored region. There a detector is neither right nor wrong."
    ),
    "help_proposals": tr(
        "Dashed boxes are proposals of a detector. They are no labels until you have looked: take away what is "
        "wrong, draw what is missing, and press Enter."
    ),
    "help_saved": tr("Everything is saved at once. Close the page whenever you like."),
    "key_label": tr("Label of the chosen box, and of the next one"),
    "key_enter": tr("Accept the proposals, the picture is done, next picture"),
    "key_move": tr("Without a chosen box: previous and next picture"),
    "key_next": tr("Next and previous picture"),
    "key_choose": tr("Choose the next or the previous box; Esc chooses none"),
    "key_arrows": tr("Move the chosen box; with Shift in large steps"),
    "key_size": tr("Make the chosen box larger or smaller"),
    "key_zoom": tr("Larger, smaller, whole picture; also by wheel and by two fingers"),
    "key_pan": tr("Move a larger picture: hold the space bar and drag, or Shift and arrows"),
    "key_shift": tr("Draw inside a chosen box: hold Shift"),
}

LABEL_WORDS: Final[dict[str, str]] = {
    "person": tr("person"),
    "bicycle": tr("bicycle"),
    "car": tr("car"),
    "motorcycle": tr("motorcycle"),
    "bus": tr("bus"),
    "truck": tr("truck"),
}
"""Other labels are shown as they are."""


def in_language(code: str) -> dict[str, str]:
    """All of them in one language."""
    return {name: translated(words, code) for name, words in WORDS.items()}


def label_words(classes: Sequence[str], code: str) -> dict[str, str]:
    """How each label is shown; what goes into files is the label itself."""
    return {label: translated(LABEL_WORDS.get(label, label), code) for label in classes}
