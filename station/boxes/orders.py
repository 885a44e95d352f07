"""Orders from the screen to boxes: each in a thread of its own, with a deadline; the screen asks how far it is.

Invariants
1. `give` returns at once: whatever the broker or a box does, no page waits for it.
2. An order is not done later than its deadline: the box is told when it expires. So at its end its giver knows
   whether it was done, or was not and will not be.
3. Who may not give an order gives none, whatever the page showed.
4. At most one order of a kind runs for a camera or a box, and at most MOST_RUNNING run at all.
5. Pictures of a look are shown to its giver only; live_look.py says for how long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import structlog

from agent.errors import BrokerUnreachable, NgatuError
from agent.translatable import tr
from agent.wire.payloads import AckBody, InfoPayload, rfc3339
from agent.wire.signature import private_key
from agent.wire.topics import Topics
from agent.wire.verbs import LOOK_S, OFFICER_LETTERS, PURPOSE_LETTERS, understood
from station import command, command_words
from station.access.roles import allows
from station.boxes.answer_words import reason
from station.boxes.live_look import LiveLook
from station.boxes.order_kinds import (
    PAUSES_MIN,
    TERMS,
    BoxWish,
    OrderGiver,
    OrderKind,
    OrderProgress,
    OrderStage,
)
from station.command import CommandReply
from station.config import StationConfig
from station.footage.ask import unless_sent
from station.footage.samples.ask import SamplesWanted, note_order
from station.footage.samples.folder import SampleFolder
from station.look.folder import pictures_of
from station.store.pictures.rows import KeptPictures

log = structlog.get_logger("station.boxes.orders")

MOST_RUNNING: Final = 64
KEPT: Final = 500
"""Orders that are remembered, the newest; older ones are in the audit log."""
LAST_WORD_S: Final = 30.0
"""So long the box's last word may be on its way after the end."""


class OrderNotGiven(NgatuError):
    """The order was not given: it is not allowed, not understood, or too many run."""


_COURSE: Final = tuple(OrderStage)


class _Deserted(Exception):
    """Nobody looks any more."""


class OrderDesk:
    """All orders of this screen's process; for many threads."""

    def __init__(
        self,
        config: StationConfig,
        key: Path | None,
        pictures: KeptPictures,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`key` is the file of the station's private key for commands; None: nothing is signed.

        `pictures` are those that the station keeps.
        """
        self._config, self._key, self._now = config, key, now
        self._pictures = pictures
        self._lock = threading.Lock()
        self._orders: dict[str, OrderProgress] = {}
        self._looks: dict[str, LiveLook] = {}

    def judge(self, wish: BoxWish, giver: OrderGiver) -> None:
        """Whether it could be given now: for whoever must note it before it goes out.

        Raises:
            OrderNotGiven: it is not allowed (invariant 3), no box would understand it, or too many run.
        """
        if not allows(giver.role, TERMS[wish.kind].role):
            raise OrderNotGiven(tr("this order is not for your role"), tr("ask your supervisor"))
        wrong = understood(TERMS[wish.kind].verb, _arguments(wish, giver))
        if isinstance(wrong, str):
            raise OrderNotGiven(tr("no box would understand this order: {wrong}", wrong=wrong))
        with self._lock:
            self._admit(wish)

    def give(self, wish: BoxWish, giver: OrderGiver) -> OrderProgress:
        """Begin to send it (invariant 1).

        Raises:
            OrderNotGiven: as judge.
        """
        wish = replace(wish, seconds=max(1, min(LOOK_S, wish.seconds)))
        self.judge(wish, giver)
        args = _arguments(wish, giver)
        topics = command_words.topics(self._config.commune, wish.box, self._config.broker.root)
        now_ms = round(self._now() * 1000)
        order = OrderProgress(uuid4().hex, wish, giver, now_ms, changed_ms=now_ms)
        with self._lock:
            self._admit(wish)
            self._orders[order.id] = order
            if wish.kind is OrderKind.LOOK:
                most = pictures_of(wish.seconds, wish.per_second)
                self._looks[order.id] = LiveLook(1 / wish.per_second, most, self._now)
        threading.Thread(target=self._run, args=(order.id, topics, args), name="order", daemon=True).start()
        return order

    def find(self, order_id: str) -> OrderProgress | None:
        """An order by its id; None: there is none, or it is long over."""
        with self._lock:
            found = self._orders.get(order_id)
        return None if found is None else self._as_kept(found)

    def look(self, order_id: str, login: str) -> LiveLook | None:
        """The pictures of a look, for its giver (invariant 5)."""
        with self._lock:
            order = self._orders.get(order_id)
            return self._looks.get(order_id) if order is not None and order.giver.login == login else None

    def of_box(self, box: str, most: int = 10) -> tuple[OrderProgress, ...]:
        """The newest orders to a box, the newest first."""
        with self._lock:
            found = [each for each in self._orders.values() if each.wish.box == box]
        return tuple(map(self._as_kept, reversed(found[-most:])))

    def _as_kept(self, order: OrderProgress) -> OrderProgress:
        """Without a picture that the station does not keep yet: it may come behind much else."""
        sha256 = order.picture_sha256
        if sha256 is None or self._is_kept(sha256):
            return order
        why = tr("the station has not kept the picture yet; it appears here as soon as it has")
        return replace(order, picture_sha256=None, why=why)

    def _is_kept(self, sha256: str) -> bool:
        try:
            return self._pictures.has(sha256)
        except (NgatuError, OSError):  # nobody can look now: an order ends as the box says, all the same
            return False

    def _admit(self, wish: BoxWish) -> None:
        """Invariant 4; forgets what is long over."""
        running = [each for each in self._orders.values() if not each.is_over]
        what = wish.kind, wish.box, wish.camera
        same = next(
            (each for each in running if what == (each.wish.kind, each.wish.box, each.wish.camera)), None
        )
        if same is not None:
            raise OrderNotGiven(
                tr("{name} has ordered the same, and it is not over yet", name=same.giver.name),
                tr("wait for its answer"),
            )
        if len(running) >= MOST_RUNNING:
            raise OrderNotGiven(tr("too many orders are on their way"), tr("wait for some answers"))
        over = [each.id for each in self._orders.values() if each.is_over]
        for order_id in over[: max(0, len(self._orders) - KEPT)]:
            del self._orders[order_id]
            self._looks.pop(order_id, None)

    def _run(self, order_id: str, topics: Topics, args: dict[str, Any]) -> None:
        """The life of an order's thread."""
        look, went_out = self._looks.get(order_id), threading.Event()
        try:
            answered = self._send(order_id, topics, args, look, went_out)
            last = next((each for each in reversed(answered.answers) if each.state != "accepted"), None)
            if look is not None:  # before the order is over: whoever sees that finds all of it
                look.end(last)
                look = None
            self._ended(order_id, last, command_words.promised(answered))
        except _Deserted:
            self._change(order_id, OrderStage.DONE, why=tr("nobody was looking any more"))
        except NgatuError as error:
            if went_out.is_set() and isinstance(error, BrokerUnreachable):
                why = tr("the connection broke while it went out: whether the box does it is not known")
                self._change(order_id, OrderStage.NO_ANSWER, why=why)
            else:
                self._change(order_id, OrderStage.NOT_SENT, why=_with_hint(error))
        except Exception as error:
            log.exception("order_failed", order=order_id)
            why = tr("a mistake in the program: {error}", error=type(error).__name__)
            self._change(order_id, OrderStage.NOT_SENT, why=why)
        finally:
            if look is not None:
                look.end(None)

    def _send(
        self,
        order_id: str,
        topics: Topics,
        args: dict[str, Any],
        look: LiveLook | None,
        went_out: threading.Event,
    ) -> CommandReply:
        order = self._orders[order_id]
        terms = TERMS[order.wish.kind]
        more_s = order.wish.seconds + LAST_WORD_S if look is not None else 0.0

        issuer = f"{order.giver.name} ({order.giver.login})"
        noted: list[SampleFolder] = []

        def before(command_id: str, info: InfoPayload | None) -> None:
            if order.wish.kind is OrderKind.SAMPLES:  # else nothing that comes of it is taken
                wanted = SamplesWanted(order.wish.box, args["purpose"], args["officer"], issuer)
                noted.append(note_order(self._config, wanted, command_id, info))
            went_out.set()

        def turn(answers: list[AckBody]) -> None:
            self._change(order_id, _stage(answers))
            if look is not None and look.is_deserted:
                raise _Deserted

        def picture(data: bytes, user: Mapping[str, str]) -> None:
            if look is not None:
                look.add(data, user)
                self._change(order_id, OrderStage.ACCEPTED)

        own = self._config.subscriber(receipts=False).model_copy(
            update={"client_id": f"ngatu-command-{order_id[:12]}"}
        )
        with unless_sent(noted):
            return command.send(
                own,
                topics,
                terms.verb,
                args,
                issuer=issuer,
                life_s=terms.life_s,
                wait_s=terms.wait_s + more_s,
                key=private_key(self._key) if self._key is not None else None,
                onlooker=command.Onlooker(picture, turn),
                before=before,
            )

    def _ended(self, order_id: str, last: AckBody | None, promised: str | None) -> None:
        if last is None:
            begun = self._orders[order_id].stage in (OrderStage.ACCEPTED, OrderStage.COMING)
            why = (
                tr("the box has begun, but its last word has not come yet")
                if begun
                else tr("the box did not do it in time, and will not do it later")
            )
            self._change(order_id, OrderStage.NO_ANSWER, why=why)
            return
        if promised is not None:
            command.wait_until(partial(self._is_kept, promised))
        self._change(order_id, OrderStage(last.state), why=reason(last.detail), picture_sha256=promised)

    def _change(self, order_id: str, stage: OrderStage, **more: Any) -> None:
        """It never goes back: a look's pictures may overtake the box's first word."""
        with self._lock:
            order = self._orders[order_id]
            if _COURSE.index(stage) > _COURSE.index(order.stage):
                changed_ms = round(self._now() * 1000)
                self._orders[order_id] = replace(order, stage=stage, changed_ms=changed_ms, **more)


def _stage(answers: list[AckBody]) -> OrderStage:
    """While nobody knows yet how it ends."""
    if any("sha256" in each.result for each in answers):
        return OrderStage.COMING
    return OrderStage.ACCEPTED if answers else OrderStage.SENT


def _arguments(wish: BoxWish, giver: OrderGiver) -> dict[str, Any]:
    """As the verb takes them."""
    if wish.kind in (OrderKind.LOOK, OrderKind.SAMPLES) and not wish.purpose.strip():
        what = (
            tr("a look needs its purpose") if wish.kind is OrderKind.LOOK else tr("frames need their purpose")
        )
        raise OrderNotGiven(what, tr("write what it is for"))
    who = {"officer": giver.name[:OFFICER_LETTERS], "purpose": wish.purpose.strip()[:PURPOSE_LETTERS]}
    if wish.kind is OrderKind.SAMPLES:
        return who
    if not TERMS[wish.kind].of_camera:
        return {}
    args: dict[str, Any] = {"camera": wish.camera or ""}
    match wish.kind:
        case OrderKind.PAUSE:
            until = wish.until or datetime.now(UTC) + timedelta(minutes=PAUSES_MIN[0])
            return args | {"action": "pause", "until": rfc3339(until)}
        case OrderKind.RESUME:
            return args | {"action": "resume"}
        case OrderKind.LOOK:
            return args | who | {"seconds": wish.seconds, "per_second": float(wish.per_second)}
    return args


def _with_hint(error: NgatuError) -> str:
    """What is wrong with the connection or the key, and what to do, in one sentence each."""
    return tr("{what} ({hint})", what=error.what, hint=error.hint) if error.hint else error.what
