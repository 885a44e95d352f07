"""station.outward.hook"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from station.outward.hook import Hook
from station.outward.progress import HookBook, HookProgress
from station.outward.settings import WebhookSettings
from station.outward.signing import key_of, new_secret, signature
from station.store.store import Store
from tests.support.brokers import free_port, until
from tests.support.hook_receiver import HookReceiver, TakenCall
from tests.support.kept_events import event_now

Engines = tuple[Engine, Engine]
SECRET = new_secret()


@pytest.fixture
def at_work(engines: Engines, tmp_path: Path) -> Callable[..., Any]:
    """Runs a hook for the length of a block."""
    secret = tmp_path / "hook.secret"
    secret.write_text(SECRET + "\n")

    @contextmanager
    def run(url: str, now: Callable[[], float] | None = None, **more: Any) -> Iterator[Hook]:
        settings = WebhookSettings(name="dispatch", url=url, secret={"file": secret}, **more)
        clock = {} if now is None else {"now": now}
        hook = Hook(settings, engines, "https://duty.example/", first_wait_s=0.02, **clock)
        hook.start()
        until(lambda: HookBook(engines[0]).every(), what="it has begun")
        try:
            yield hook
        finally:
            hook.close()

    return run


def progress(engines: Engines) -> HookProgress:
    (found,) = HookBook(engines[0]).every()
    return found


def names(*numbers: int, revision: int = 1) -> list[str]:
    return [f"north-01.e-{number}.{revision}" for number in numbers]


def test_what_is_kept_after_its_begin_is_delivered_in_order_and_signed(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    store.commit([event_now(1)])  # of before
    with HookReceiver() as there, at_work(there.url):
        store.commit([event_now(number) for number in range(2, 30)])
        until(lambda: progress(engines).delivered == 28)  # its answer is here, too
    assert there.ids == names(*range(2, 30))
    for call in there.taken:
        expected = signature(key_of(SECRET), call.id, int(call.headers["webhook-timestamp"]), call.body)
        assert call.headers["webhook-signature"] == expected
    assert (progress(engines).delivered, progress(engines).trouble) == (28, None)


def test_who_is_away_gets_all_of_it_in_order_when_it_is_back(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    port = free_port()
    with at_work(f"http://127.0.0.1:{port}/hook"):
        store.commit([event_now(number) for number in range(1, 6)])
        until(lambda: progress(engines).failing_ms is not None)
        assert "refused" in str(progress(engines).trouble)
        with HookReceiver(port=port) as there:
            until(lambda: len(there.taken) == 5)
            until(lambda: progress(engines).failing_ms is None)
    assert there.ids == names(1, 2, 3, 4, 5)


def test_a_message_that_is_refused_holds_its_place_and_keeps_its_id(
    store: Store, at_work: Callable[..., Any]
) -> None:
    answers = iter([500, 429, 302, 204])
    with HookReceiver(status=lambda _call: next(answers, 204)) as there, at_work(there.url):
        store.commit([event_now(1), event_now(2)])
        until(lambda: len(there.taken) == 2)

    assert [call.id for call in there.calls] == names(1, 1, 1, 1, 2)
    assert len({call.body for call in there.calls if call.id == names(1)[0]}) == 1


def test_nothing_is_missing_over_restarts_and_the_order_stays(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    chance = random.Random(7)

    def sometimes(_call: TakenCall) -> int:
        return 204 if chance.random() < 0.8 else 503

    expected: list[str] = []
    with HookReceiver(status=sometimes) as there:
        with at_work(there.url):
            pass  # it has begun: from here on all is its own
        for life in range(4):
            numbers = range(life * 10 + 1, life * 10 + 11)
            store.commit([event_now(number) for number in numbers])
            expected += names(*numbers)
            with at_work(there.url):
                seen = len(there.taken)
                until(lambda so_far=seen: len(there.taken) >= so_far + 5)
        with at_work(there.url):
            until(lambda: there.ids[-1:] == expected[-1:])
    assert list(dict.fromkeys(there.ids)) == expected
    assert progress(engines).given_up == 0


@pytest.mark.long
def test_only_what_is_older_than_its_patience_is_given_up(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    port = free_port()
    ahead = threading.Event()

    def now() -> float:
        import time  # noqa: PLC0415

        return time.time() + (200 * 3600 if ahead.is_set() else 0)

    with at_work(f"http://127.0.0.1:{port}/hook", now=now):
        store.commit([event_now(1), event_now(2), event_now(3)])
        until(lambda: progress(engines).failing_ms is not None)
        ahead.set()
        until(lambda: progress(engines).given_up == 3)
        ahead.clear()
        store.commit([event_now(4)])
        with HookReceiver(port=port) as there:
            until(lambda: there.taken)
    assert there.ids == names(4)


def test_who_wants_no_more_is_called_no_more_until_the_next_life(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    with HookReceiver(status=lambda _call: 410) as there:
        with at_work(there.url):
            store.commit([event_now(1), event_now(2)])
            until(lambda: "410" in str(progress(engines).trouble))
        there.status = lambda _call: 204
        assert [call.id for call in there.calls] == names(1)
        with at_work(there.url):
            until(lambda: len(there.taken) == 2)
    assert there.ids == names(1, 2)


def test_what_nobody_asked_for_moves_it_on_without_a_call(
    store: Store, engines: Engines, at_work: Callable[..., Any]
) -> None:
    with HookReceiver() as there, at_work(there.url, severities=["alert"]):
        store.commit([event_now(number, severity="info") for number in range(1, 20)])
        store.commit([event_now(20)])
        until(lambda: progress(engines).delivered == 1)
    assert there.ids == names(20)
    assert progress(engines).delivered == 1


def test_a_secret_that_is_none_stops_it_and_nothing_is_sent(
    store: Store, engines: Engines, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whatever\n")
    with HookReceiver() as there:
        settings = WebhookSettings(name="dispatch", url=there.url, secret={"file": secret})
        hook = Hook(settings, engines, "https://duty.example/")
        hook.start()
        store.commit([event_now(1)])
        hook.close()

    assert (there.calls, HookBook(engines[0]).every()) == ([], ())
