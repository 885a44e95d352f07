"""Does the box find what its configuration names? One finding per part; nothing is changed.

Each part is tried as the agent would use it: the camera gives a frame, the model looks at a picture, the broker
accepts the box.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from agent.cameras import probe
from agent.cameras.decode.decoded import SLEEPY
from agent.clock import Clock, trust
from agent.config.advice import warnings
from agent.config.schema import CameraConfig, Config
from agent.core.shadow.verdict import summary
from agent.detectors import Detector, load_detector, model_sha256
from agent.errors import DeliveryError, NgatuError
from agent.host import state_folder
from agent.mqtt.connection import Connection
from agent.mqtt.packets import Limits
from agent.mqtt.settings import BrokerSettings
from agent.outbox.ballast import Ballast, least_bytes
from agent.outbox.outbox import OutboxSettings
from agent.settings.access import too_open, unreadable, user_name
from agent.settings.base import Secret, SecretMissing
from agent.settings.misread import doubted, doubts
from agent.settings.quoting import redacted
from agent.tools import footage_check
from agent.translatable import joined, tr
from agent.transport.client import Will
from agent.transport.errors import VersionRefused
from agent.wire.signature import public_key
from agent.wire.topics import Topics
from agent.workers.shadow import record

EARLIEST_S = 1_767_225_600.0
"""2026-01-01: before that no ngatu was built, so a clock that says so is wrong, and TLS would fail."""
ANSWER_S = 10.0
"""A broker that takes longer to answer is told: whoever looks on waits for it."""
AT_ONCE = 4
"""Cameras that are opened at the same time; each waits for its own deadline, the box decodes few."""
MOST_LABELS = 12
"""Of a model, named where a rule wants another: a list of hundreds is better read in its card."""


class CheckVerdict(StrEnum):
    """What a finding means."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    BROKEN = "broken"
    """The check itself met an error that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One part and what was found."""

    part: str
    found: str
    verdict: CheckVerdict
    hint: str = ""


def doubtful(data: bytes, file: str) -> Iterator[CheckResult]:
    """What a file says that was hardly meant so: texts that are cut by a #, or garbled."""
    for doubt in doubts(data, Config):
        what, hint = doubted(doubt, file)
        yield CheckResult("config", what, CheckVerdict.WARNING, hint)


def offline(config: Config) -> Iterator[CheckResult]:
    """What can be judged without touching camera, model or broker: advice and the places of secrets."""
    for warning in warnings(config):
        yield CheckResult("config", warning, CheckVerdict.WARNING)
    for path, secret in secrets(config):
        if problem := _secret_problem(secret):
            what, hint = problem
            yield CheckResult(path, what, CheckVerdict.WARNING, hint)
    if config.commands.key is not None:
        try:
            public_key(config.commands.key)
        except NgatuError as error:
            yield CheckResult(
                "commands.key", error.what, CheckVerdict.FAILED, tr("without it no command is done")
            )
    for name, file in dict(config.broker.tls or ()).items():
        if isinstance(file, Path):
            try:
                file.open("rb").close()
            except OSError as error:
                why, hint = unreadable(file, error)
                what = tr("{file} cannot be read: {why}", file=file, why=why)
                yield CheckResult(f"broker.tls.{name}", what, CheckVerdict.WARNING, hint)


def online(config: Config, clock: Clock) -> Iterator[CheckResult]:
    """Every part tried, in the order in which a frame passes them; the broker beside the cameras."""
    yield guarded("clock", lambda: check_clock(clock))
    with ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(1) as beside:
        broker = beside.submit(guarded, "broker", lambda: check_broker(config))
        yield from pool.map(
            lambda camera: guarded(
                tr("camera {camera}", camera=camera.name), partial(check_camera, camera, clock)
            ),
            config.cameras,
        )
        yield guarded("detector", lambda: check_detector(config, clock))
        if config.detects and config.detector.shadow is not None:
            yield guarded("detector.shadow", lambda: check_shadow(config))
        yield guarded("outbox", lambda: check_outbox(config.outbox_path, config.outbox))
        if config.records:
            yield guarded("footage", lambda: check_footage(config))
        yield broker.result()


def guarded(part: str, check: Callable[[], CheckResult]) -> CheckResult:
    """The finding, or the error that came instead, in one line."""
    try:
        return check()
    except NgatuError as error:
        return CheckResult(part, redacted(error.what), CheckVerdict.FAILED, error.hint)
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return CheckResult(
            part, redacted(what), CheckVerdict.BROKEN, tr("this is a fault of ngatu: report it with this line")
        )


def check_clock(clock: Clock) -> CheckResult:
    """A clock from before the agent was built makes certificates invalid and schedules wrong."""
    now = clock.now()
    if now.wall_s < EARLIEST_S:
        return CheckResult(
            "clock", tr("before 2026: wrong"), CheckVerdict.FAILED, tr("set up NTP, or set the clock by hand")
        )
    kept = trust()
    if kept.state == "unknown":
        found = tr("neither NTP nor a battery clock keeps it")
        return CheckResult(
            "clock", found, CheckVerdict.WARNING, tr("events will say that their times are not to be trusted")
        )
    if kept.error_ms is None:
        return CheckResult("clock", tr("kept by {state}", state=kept.state), CheckVerdict.OK)
    found = tr("kept by {state}, within {error_ms} ms", state=kept.state, error_ms=kept.error_ms)
    return CheckResult("clock", found, CheckVerdict.OK)


def check_camera(camera: CameraConfig, clock: Clock) -> CheckResult:
    """Open the camera and take one frame."""
    facts = probe(camera, clock)
    rate = tr(", {fps:g} pictures/s", fps=facts.fps) if facts.fps else ""
    sleeps = camera.wake == "auto" and facts.codec in SLEEPY
    wake = tr("; while nothing happens, key pictures only") if sleeps else ""
    found = tr(
        "{width_px}×{height_px} {codec}{rate}, decoded by {decoder}{wake}",
        width_px=facts.width_px,
        height_px=facts.height_px,
        codec=facts.codec,
        rate=rate,
        decoder=facts.decoder,
        wake=wake,
    )
    return CheckResult(tr("camera {camera}", camera=camera.name), found, CheckVerdict.OK)


def check_detector(config: Config, clock: Clock) -> CheckResult:
    """Load the model, run it once to warm it up, and time a second call."""
    if not config.detects:
        return CheckResult("detector", tr("off for every camera: only motion is told"), CheckVerdict.OK)
    detector = load_detector(config.detector)
    try:
        picture = np.zeros((detector.input_size.height_px, detector.input_size.width_px, 3), np.uint8)
        detector.detect([picture])
        began = clock.now()
        detector.detect([picture])
        took_ms = clock.now().since(began) * 1000
    finally:
        detector.close()
    size = detector.input_size
    found = tr(
        "{detector} ({sha256}), {width_px}×{height_px}, {took_ms:.0f} ms a call",
        detector=detector.name,
        sha256=detector.sha256[:12],
        width_px=size.width_px,
        height_px=size.height_px,
        took_ms=took_ms,
    )
    unknown = _unknown_labels(config, detector)
    if unknown:
        return CheckResult(
            "detector",
            joined("; ", (found, unknown)),
            CheckVerdict.WARNING,
            _known_labels(detector),
        )
    return CheckResult("detector", found, CheckVerdict.OK)


def check_shadow(config: Config) -> CheckResult:
    """Load the model that is on trial, as far as it came is read from the box's record."""
    network = load_detector(config.detector.of_shadow)
    network.close()
    found = f"{network.name} ({network.sha256[:12]})"
    kept = record.load(config.state_dir, model_sha256(config.detector), network.sha256)
    how = kept.why or summary(kept.seen)
    words = joined("; ", (found, joined(": ", (kept.state.value, how))))
    if kept.state is record.ShadowState.FAILED:
        return CheckResult(
            "detector.shadow",
            words,
            CheckVerdict.WARNING,
            tr("take it out, or name another"),
        )
    if unknown := _unknown_labels(config, network):
        return CheckResult(
            "detector.shadow",
            joined("; ", (words, unknown)),
            CheckVerdict.WARNING,
            _known_labels(network),
        )
    return CheckResult("detector.shadow", words, CheckVerdict.OK)


def _known_labels(detector: Detector) -> str:
    """What to do about a label that a model does not know."""
    known = list(filter(None, detector.labels))
    more = ", …" if len(known) > MOST_LABELS else ""
    return tr(
        "the rule will never see these labels; the model knows {labels}",
        labels=", ".join(known[:MOST_LABELS]) + more,
    )


def _unknown_labels(config: Config, detector: Detector) -> str:
    """Labels that a rule was given, other than by default, and that the model does not know."""
    unknown: dict[str, None] = {}
    for camera in config.cameras:
        for rule in camera.rules:
            asked = type(rule).model_fields.get("labels")
            if asked is not None and rule.wanted != asked.default:
                missing = [label for label in rule.wanted if label not in detector.labels]
                unknown |= {
                    tr(
                        "rule {rule} wants {label}, which the model does not know", rule=rule.id, label=label
                    ): None
                    for label in missing
                }
    return joined("; ", unknown)


def secrets(settings: BaseModel, path: str = "") -> Iterator[tuple[str, Secret]]:
    """Every secret that the configuration names, with its path."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        where = f"{path}.{name}" if path else name
        for index, item in enumerate(value) if isinstance(value, tuple) else [(None, value)]:
            at = where if index is None else f"{where}[{index}]"
            if isinstance(item, Secret):
                yield at, item
            elif isinstance(item, BaseModel):
                yield from secrets(item, at)


def _secret_problem(secret: Secret) -> tuple[str, str] | None:
    """Why the secret cannot be read, or who else can, and what to do; None if all is well."""
    try:
        secret.read()
    except SecretMissing as error:
        return str(error), tr("put the secret there before the agent starts")
    except OSError as error:
        assert secret.file is not None, "a variable cannot fail so"
        why, hint = unreadable(secret.file, error)
        return tr("{place} cannot be read: {why}", place=secret.place, why=why), hint
    return too_open(secret.file) if secret.file is not None else None


def check_outbox(path: Path, settings: OutboxSettings) -> CheckResult:
    """Can the outbox be written there, and is there room for it? Nothing is created."""
    state_folder.require(path.parent)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    user = user_name()
    for file in (path, path.with_name(path.name + ".lock")):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
            what = tr("{file} may not be written by user {user}", file=file, user=user)
            return CheckResult(
                "outbox",
                what,
                CheckVerdict.FAILED,
                tr("sudo chown -R {user} {parent}", user=user, parent=path.parent),
            )
    return _room(path, folder, settings)


def check_footage(config: Config) -> CheckResult:
    """Can footage be kept where the configuration says? Nothing is created."""
    found, verdict, hint = footage_check.judge(config)
    return CheckResult("footage", found, CheckVerdict(verdict), hint)


def _room(path: Path, folder: Path, settings: OutboxSettings) -> CheckResult:
    """Whether the disk takes what may wait; what the outbox has already counts as free."""
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        what = tr("{folder} is mounted read-only", folder=folder)
        hint: str = tr("mount it for writing, or name another state_dir")
        return CheckResult("outbox", what, CheckVerdict.FAILED, hint)
    free, size = disk.f_bavail * disk.f_frsize, settings.ballast_bytes
    ballast = Ballast(path.with_name(path.name + ".ballast"), size)
    own = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    least, most = least_bytes(size), settings.max_bytes + size
    found, verdict = tr("{path}, {free} free", path=path, free=_size(free)), CheckVerdict.OK
    hint = ""
    if free + (size if ballast.is_held else 0) < least:
        verdict = CheckVerdict.FAILED
        hint = tr(
            "at least {least} are needed, or pictures are dropped: make room, or name another state_dir",
            least=_size(least),
        )
    elif free + own < most:
        verdict = CheckVerdict.WARNING
        hint = tr("outbox.max_bytes lets it grow to {most}: make room, or lower that", most=_size(most))
    return CheckResult("outbox", found, verdict, hint)


def _size(number: float) -> str:
    """Bytes as people write them; rounded down, for it is about what is there at least."""
    unit, name = (1e9, "GB") if number >= 1e9 else (1e6, "MB")
    return f"{math.floor(number / unit * 10) / 10:.1f} {name}"


def check_broker(config: Config) -> CheckResult:
    """Connect as this box, and say goodbye; at a cluster, to each of its nodes.

    The client id is another one than the agent's, which may be running. A broker that derives the id from the
    certificate gives up the agent's connection for a moment; nothing is lost by that.
    """
    device = config.device
    topics = Topics(device.commune, device.id, config.broker.root)
    will = Will(topics.below("check"), b"")  # an empty retained message leaves nothing behind
    soon = min(config.broker.connect_timeout_s, ANSWER_S)
    patient = config.broker.model_copy(update={"connect_timeout_s": soon})
    away: list[DeliveryError] = []
    answers: list[tuple[BrokerSettings, Limits]] = []
    for turn in range(len(patient.addresses)):
        node = patient.at(turn)
        try:
            answers.append((node, _connected(node, f"{device.id}-check", will)))
        except DeliveryError as error:
            away.append(error)
    if not answers:
        raise away[0]
    found = joined("; ", [*(_node(node, limits) for node, limits in answers), *(each.what for each in away)])
    if away:
        return CheckResult("broker", found, CheckVerdict.WARNING, away[0].hint)
    return CheckResult("broker", found, CheckVerdict.OK)


def _node(node: BrokerSettings, limits: Limits) -> str:
    """What one of the broker's addresses has answered."""
    limit = limits.max_packet_bytes
    packet = tr(", packets to {limit:,} bytes", limit=limit) if limit else ""
    tls = tr("TLS") if node.tls else tr("no TLS")
    return tr(
        "{host}:{port}, MQTT {version}, {tls}{packet}",
        host=node.host,
        port=node.port,
        version=limits.version,
        tls=tls,
        packet=packet,
    )


def _connected(settings: BrokerSettings, client_id: str, will: Will) -> Limits:
    connection = Connection(settings, client_id, will, "3.1.1" if settings.protocol == "3.1.1" else "5")
    try:
        return connection.connect()
    except VersionRefused:
        if settings.protocol != "auto":
            raise
    finally:
        connection.close(patience_s=2.0)
    return _connected(settings.model_copy(update={"protocol": "3.1.1"}), client_id, will)
