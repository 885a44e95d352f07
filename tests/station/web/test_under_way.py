"""station.web.under_way, at a console that is served as its process serves it"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import repeat
from pathlib import Path

import httpx
import pytest

from station.access.audit_log import AuditLog, AuditQuery
from station.access.roles import Role
from station.web.under_way import ENDS_S, AnswerKind, AnswersUnderWay
from tests.support.brokers import until
from tests.support.screens import Screen, screen

FEED, LONG, PAGE = AnswerKind.FEED, AnswerKind.LONG, AnswerKind.PAGE


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path) as opened:
        yield opened


class Held:
    """A request whose answer is read by hand, or not at all."""

    def __init__(self, console: Screen, visitor: httpx.Client, path: str, reads: int = 1 << 16) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, reads)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", console.port))
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n"
        self.socket.sendall(head.encode())

    def begins(self) -> bool:
        """Whether it is answered, and not refused."""
        return b" 200 " in self.socket.recv(100)

    def rest(self) -> bytes:
        """All until the other side ends."""
        return b"".join(iter(lambda: self.socket.recv(65536), b""))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


@contextmanager
def feeds(console: Screen, visitor: httpx.Client, number: int) -> Iterator[list[Held]]:
    with ExitStack() as held:
        opened: list[Held] = []
        for _ in range(number):  # one after the other, so that the first is the oldest
            opened.append(held.enter_context(closing(Held(console, visitor, "/feed"))))
            assert opened[-1].begins()
        yield opened


def test_an_account_that_opens_feed_after_feed_ends_its_own_oldest_and_others_still_get_in(
    console: Screen,
) -> None:
    lan, minh = console.visitor(), console.visitor(Role.SUPERVISOR)
    with feeds(console, minh, 1) as others, feeds(console, lan, 150) as own:
        assert b"event: crowded" in own[0].rest(), "it is told why, and its connection ends"
        until(lambda: len(console.console.under_way) <= FEED.value.of_one + 1, 10)
        assert b"crowded" not in others[0].socket.recv(65536)
        assert console.visitor(Role.ADMINISTRATOR).get("/").status_code == 200
        assert not lan.get("/standing").json()["room"] and minh.get("/standing").json()["room"]

        own[-1].close()
        until(lambda: lan.get("/standing").json()["room"], 10)


def test_a_feed_that_nobody_reads_is_gone_soon_after_it_was_ended(console: Screen) -> None:
    console.console.intake = {"failing": "x" * (16 << 20)}  # stands in every beat
    lan = console.visitor()
    with closing(Held(console, lan, "/feed", reads=4096)) as unread:
        assert unread.begins()
        with feeds(console, lan, FEED.value.of_one):
            until(lambda: len(console.console.under_way) == FEED.value.of_one, ENDS_S + 20)
            assert len(unread.rest()) < 16 << 20, "the rest was not waited for"


def test_downloads_that_are_not_taken_are_bounded_for_each_account_and_the_next_is_told_when_to_ask(
    console: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    minh = console.visitor(Role.SUPERVISOR)
    entry = next(console.console.audit.every(AuditQuery()))
    monkeypatch.setattr(AuditLog, "every", lambda *_: repeat(entry, 100_000))
    with ExitStack() as held:
        for _ in range(LONG.value.of_one):
            assert held.enter_context(closing(Held(console, minh, "/audit/export.csv", reads=4096))).begins()
        refused = minh.get("/audit/export.csv")
        assert refused.status_code == 429 and refused.headers["retry-after"] == "5"
        assert str(LONG.value.of_one) in refused.text
        assert minh.get("/audit").status_code == 200, "pages are counted by themselves"
    monkeypatch.undo()
    until(lambda: minh.get("/audit/export.csv").status_code == 200, 20)


def test_a_page_that_is_not_taken_is_under_way_until_it_is(console: Screen) -> None:
    console.console.intake = {"failing": "x" * (32 << 20)}
    lan = console.visitor()
    with closing(Held(console, lan, "/standing", reads=4096)) as slow:
        assert slow.begins()
        assert len(console.console.under_way) == 1
    until(lambda: len(console.console.under_way) == 0, 10)
    assert len(lan.get("/standing").json()["unkept"]) > 32 << 20


def test_where_all_together_have_too_many_the_account_with_most_feeds_gives_one_up() -> None:
    answers = AnswersUnderWay()
    crowd = [answers.enter({}, f"a{number % 9}", FEED) for number in range(FEED.value.in_all)]
    assert all(each is not None and not each.is_ended for each in crowd)
    last = answers.enter({}, "new", FEED)
    assert last is not None and not last.is_ended
    ended = [each.account for each in crowd if each is not None and each.is_ended]
    assert ended == ["a0"] or ended == ["a1"]


@pytest.mark.parametrize("kind", [PAGE, LONG])
def test_where_all_together_have_too_many_who_has_few_still_gets_some(kind: AnswerKind) -> None:
    answers, bound = AnswersUnderWay(), kind.value
    for number in range(bound.in_all):
        assert answers.enter({}, f"a{number // bound.of_one}", kind)
    assert answers.enter({}, "a0", kind) is None
    got = [answers.enter({}, "new", kind) for _ in range(bound.always + 1)]
    assert got.count(None) == 1 and got[-1] is None
