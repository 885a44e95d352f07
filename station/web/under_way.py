"""Answers that are under way, counted by account: nobody takes the room of everybody else.

An answer is under way until whoever asked has taken all of it, however slowly he reads.

Invariants
1. No account has more answers of a kind under way than `of_one`; once all together have `in_all`, only who has
   fewer than `always` gets another. So there is room for whoever comes, to log in, too.
2. A new feed always has room: the oldest of its account ends for it, or where all together are too many the
   oldest of the account that has most. A screen that was reloaded, or whose cable was pulled, leaves a feed
   behind that ends much later: those are the oldest.
3. What is ended is gone after ENDS_S, also where nobody reads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

ENDS_S: Final = 5.0
"""For the last word to who is ended."""
CONNECTIONS: Final = 640
"""Of everybody: the sum of `in_all`, and for who has few."""
_KEY: Final = "ngatu_under_way"


@dataclass(frozen=True, slots=True)
class Bound:
    """How many answers of a kind may be under way."""

    of_one: int
    in_all: int
    always: int


class AnswerKind(Enum):
    """What an answer is, with its bound."""

    PAGE = Bound(200, 300, 8)
    """A page or a picture. Two walls that are opened at once ask for some 150."""
    LONG = Bound(16, 64, 2)
    """An export, a film or a package: as large as was asked for."""
    FEED = Bound(16, 128, 1)
    """Never ends by itself. An account may have eight sessions, each with a wall and a page of alerts."""


@dataclass(eq=False, slots=True)
class UnderWay:
    """One answer."""

    account: str
    kind: AnswerKind
    connection: asyncio.Transport | None
    is_ended: bool = False
    wake: Callable[[], None] = lambda: None
    """Tells who gives the answer that `is_ended` has changed."""


@dataclass(eq=False, slots=True)
class AnswersUnderWay:
    """All of a console; for its loop alone but for `has_room`."""

    _answers: list[UnderWay] = field(default_factory=list)
    """The oldest first."""

    def __len__(self) -> int:
        return len(self._answers)

    def has_room(self, account: str, kind: AnswerKind) -> bool:
        """Whether one more of this account's is within the bounds (invariant 1)."""
        same = [each.account for each in list(self._answers) if each.kind is kind and not each.is_ended]
        own, bound = same.count(account), kind.value
        return own < bound.of_one and (len(same) < bound.in_all or own < bound.always)

    def enter(self, scope: Scope, account: str, kind: AnswerKind) -> UnderWay | None:
        """Count the answer to this request, in place of what it was counted as; None: there is no room."""
        entered: list[UnderWay] = scope.setdefault(_KEY, [])
        while entered:
            self._leave(entered.pop())
        if kind is AnswerKind.FEED:
            self._make_room(account)
        elif not self.has_room(account, kind):
            return None
        answer = UnderWay(account, kind, scope.get("state", {}).get(_KEY))
        self._answers.append(answer)
        entered.append(answer)
        return answer

    def leave(self, scope: Scope) -> None:
        """The request is answered."""
        for answer in scope.pop(_KEY, []):
            self._leave(answer)

    def _leave(self, answer: UnderWay) -> None:
        if answer in self._answers:
            self._answers.remove(answer)

    def _make_room(self, account: str) -> None:
        """Invariant 2."""
        feeds = [each for each in self._answers if each.kind is AnswerKind.FEED and not each.is_ended]
        of = Counter(each.account for each in feeds)
        if of[account] >= AnswerKind.FEED.value.of_one:
            most = account
        elif len(feeds) >= AnswerKind.FEED.value.in_all:
            most = max(of, key=lambda each: of[each])
        else:
            return
        _end(next(each for each in feeds if each.account == most))


def _end(answer: UnderWay) -> None:
    answer.is_ended = True
    answer.wake()
    if answer.connection is not None:  # a close waits for who does not read
        asyncio.get_running_loop().call_later(ENDS_S, answer.connection.abort)


class CountedAnswers:
    """Around the whole application: an answer is under way until it is taken."""

    def __init__(self, app: ASGIApp, answers: AnswersUnderWay) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and let go of what the request was counted as."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def say(message: Message) -> None:
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if is_last and message.get("body"):
                await send({**message, "more_body": True})
                message = {"type": "http.response.body", "body": b""}  # sent once the rest is taken
            await send(message)

        try:
            await self._app(scope, receive, say)
        finally:
            self._answers.leave(scope)


class WebConnection(H11Protocol):
    """A connection of uvicorn's that an answer can end, and whose writers wait until all of it is taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The transport is among the state of each request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)
        self.app_state = {**self.app_state, _KEY: transport}
