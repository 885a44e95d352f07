"""What becomes of a request, step by step: who may do what, how long it may take, what holds it up."""

from __future__ import annotations

from typing import Any, Final

from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from station.access.roles import Role, allows
from station.footage.folder import FootageStage, FootageState, RequestFolder
from station.store.columns import ms
from station.web.footage.requests import LIFE_S
from station.web.render import span_of
from station.web.visitor import Visitor

REACHED: Final = {
    FootageStage.ASKED: 1,
    FootageStage.REQUESTED: 2,
    FootageStage.SENDING: 2,
    FootageStage.ARRIVED: 3,
    FootageStage.COMPLETE: 4,
}
"""Stage -> which of the steps is under way; what is not here goes on no more."""
AT_THE_BOX: Final = (FootageStage.ASKED, FootageStage.REQUESTED, FootageStage.SENDING)
MOST_NAMED: Final = 6


def next_steps(visitor: Visitor, folder: RequestFolder, *, is_handed: bool) -> dict[str, Any] | None:
    """The steps as the page shows them, in the language of whoever looks; None: it goes on no more.

    Raises:
        StoreError: accounts or boxes cannot be read.
    """
    state, language = folder.state(), visitor.language
    if state.stage not in REACHED:
        return None
    reached = len(REACHED) if is_handed else REACHED[state.stage]
    texts = (
        tr("{name} asked for it. An officer may: nobody has to approve it.", name=folder.request.officer),
        tr("The box notes it and keeps the footage."),
        tr("The box sends it, behind everything else that it has to tell."),
        tr("The station puts it together and says by itself what it is worth."),
        _hands_over(visitor),
    )
    marks = ("done", "now", "later")
    return {
        "steps": [
            {"words": printable(translated(text, language)), "mark": marks[(i >= reached) + (i > reached)]}
            for i, text in enumerate(texts)
        ],
        "pace": translated(_pace(state, folder, visitor), language),
        "away": printable(translated(_away(visitor, folder, state.stage), language)),
    }


def _hands_over(visitor: Visitor) -> str:
    """Who may hand it over, by name: supervisors, or else administrators."""
    may = [
        each
        for each in visitor.console.accounts.list()
        if not each.disabled and allows(each.role, Role.SUPERVISOR)
    ]
    of_shift = [each for each in may if each.role == Role.SUPERVISOR] or may
    if visitor.may(Role.SUPERVISOR):
        return tr("You may hand it over as one ZIP file, below.")
    if not of_shift:
        return tr("A supervisor hands it over. Nobody here is one: tell the administrator.")
    names = joined(", ", [each.name for each in of_shift[:MOST_NAMED]])
    return tr("A supervisor hands it over as one ZIP file. Tell one of them the case: {names}.", names=names)


def _pace(state: FootageState, folder: RequestFolder, visitor: Visitor) -> str:
    """How long it may take, by how much came since it was asked for; empty: nobody knows."""
    came, whole = state.arrived_bytes, state.size_bytes
    if state.stage is not FootageStage.SENDING or not came or not whole or came >= whole:
        return ""
    took_s = max(1.0, (visitor.console.now_ms - ms(folder.request.asked_at)) / 1000)
    took, rest = (span_of(visitor.language, each) for each in (took_s, took_s * (whole - came) / came))
    return tr("This much came in {took}; at that pace the rest takes about {rest}.", took=took, rest=rest)


def _away(visitor: Visitor, folder: RequestFolder, stage: FootageStage) -> str:
    """What holds it up at the box, and whether it goes on by itself; empty: nothing is known to."""
    if stage not in AT_THE_BOX:
        return ""
    desk, language = visitor.console, visitor.language
    until_ms = ms(folder.request.asked_at) + round(LIFE_S * 1000)
    if stage is FootageStage.ASKED and desk.now_ms > until_ms:
        return tr("The box did not hear of it within a day, and it goes out no more: ask for it anew.")
    found = desk.boxes.find(folder.request.device)
    if found is None or found.standing.is_online:
        return ""
    since = desk.templates.moment(language, found.standing.since_ms)
    if stage is FootageStage.ASKED:
        return tr(
            "The box is not connected since {since} and has not heard of it. The request waits for it until "
            "{until}; after that it must be asked for anew. Meanwhile its disk may overwrite the oldest "
            "footage: if it stays so, call the technician.",
            since=since,
            until=desk.templates.moment(language, until_ms),
        )
    return tr(
        "The box is not connected since {since}. It keeps the footage and goes on by itself once it is back: "
        "do not ask anew.",
        since=since,
    )
