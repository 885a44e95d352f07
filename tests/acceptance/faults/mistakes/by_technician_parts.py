"""The technician at the pole: mistakes with what the file names, and with the tools."""

from __future__ import annotations

import shutil

from tests.acceptance.faults.mistakes import messages
from tests.acceptance.faults.mistakes.desk import Desk
from tests.acceptance.faults.mistakes.mistake import Said, mistake
from tests.acceptance.faults.mistakes.parts import NGATU
from tests.acceptance.faults.suite import NotTried

WHO = "technician"
PORTAL = "<!DOCTYPE html><html><head><title>Wi-Fi login</title></head><body>Please sign in.</body></html>\n"
"""What a wireless network gives instead of a file."""


def with_model(desk: Desk, data: bytes, changed: tuple[str, str] = ("", "")) -> Said:
    """A check with a model of one's own beside the card of the good one."""
    desk.file("mine.onnx", data)
    desk.file("mine.yaml", desk.parts.model.with_suffix(".yaml").read_text().replace(*changed))
    return desk.check((f"model: {desk.parts.model}", "model: mine.onnx"))


@mistake(
    WHO, "the model was not fetched", 1,
    what="no such model", where="models/yolov3-tiny-416.onnx", todo="ngatu models fetch yolov3-tiny-416",
)  # fmt: skip
def model_not_fetched(desk: Desk) -> Said:
    return desk.check((f"model: {desk.parts.model}", "model: yolov3-tiny-416\n  models_dir: models"))


@mistake(
    WHO, "the model's file is the login page of a wireless network", 1,
    what="its SHA-256 is", where="mine.onnx", todo="fetch it again: ngatu models fetch",
)  # fmt: skip
def model_is_a_page(desk: Desk) -> Said:
    return with_model(desk, PORTAL.encode())


@mistake(
    WHO, "the model's file was cut off while it was copied", 1,
    what="its SHA-256 is", where="mine.onnx", todo="fetch it again: ngatu models fetch",
)  # fmt: skip
def model_cut_off(desk: Desk) -> Said:
    return with_model(desk, desk.parts.model.read_bytes()[:600])


@mistake(
    WHO, "the card beside the model is that of another input", 1,
    what="640", where="mine.onnx", todo="card",
)  # fmt: skip
def model_of_another_input(desk: Desk) -> Said:
    size = "{width_px: 256, height_px: 256}", "{width_px: 640, height_px: 640}"
    return with_model(desk, desk.parts.model.read_bytes(), size)


@mistake(
    WHO, "a model has no card", 1,
    what="there is no model card for it", where="mine.onnx", todo="write mine.yaml beside it",
)  # fmt: skip
def model_without_card(desk: Desk) -> Said:
    desk.file("mine.onnx", desk.parts.model.read_bytes())
    return desk.check((f"model: {desk.parts.model}", "model: mine.onnx"))


@mistake(
    WHO, "a checkpoint is added as a model", 2,
    what="this is a checkpoint", where="best.pt", todo="ngatu models export best.pt",
)  # fmt: skip
def checkpoint(desk: Desk) -> Said:
    desk.file("best.pt", b"PK\3\4")
    return desk.ngatu("models", "add", "best.pt", "--dir", "models")


@mistake(
    WHO, "a slip in the name of a model", 2,
    what="the catalogue has no such model", where="yolov3-tiny:", todo="did you mean yolov3-tiny-416?",
)  # fmt: skip
def slip_in_model(desk: Desk) -> Said:
    return desk.ngatu("models", "fetch", "yolov3-tiny")


@mistake(
    WHO, "nothing listens at the camera's port", 1,
    what="has nobody listening", where="rtsp://127.0.0.1:{port}/stream1", todo="check address, port and camera",
)  # fmt: skip
def camera_closed(desk: Desk) -> Said:
    address = f"rtsp://127.0.0.1:{desk.parts.closed_port}/stream1"
    return desk.check((desk.source, f"{{kind: rtsp, url: {address}}}"))


@mistake(
    WHO, "the camera's address leads to a broker", 1,
    what="says nothing that can be read", where="rtsp://127.0.0.1:{port}/stream1", todo="check that a camera",
)  # fmt: skip
def camera_is_a_broker(desk: Desk) -> Said:
    return desk.check((desk.source, f"{{kind: rtsp, url: rtsp://127.0.0.1:{desk.parts.port}/stream1}}"))


@mistake(
    WHO, "nobody knows the camera's name", 1,
    what="name", where="rtsp://cam-north.invalid/stream1", todo="address",
)  # fmt: skip
def camera_without_name(desk: Desk) -> Said:
    return desk.check((desk.source, "{kind: rtsp, url: rtsp://cam-north.invalid/stream1}"))


@mistake(
    WHO, "the USB camera is not plugged in", 1,
    what="no camera at", where="/dev/v4l/by-id/cam-1", todo="check its plug",
)  # fmt: skip
def camera_unplugged(desk: Desk) -> Said:
    return desk.check((desk.source, "{kind: usb, device: /dev/v4l/by-id/cam-1}"))


@mistake(
    WHO, "nothing listens at the broker's port", 1,
    what="nothing listens there", where="broker 127.0.0.1:{port}", todo="is the port right?",
)  # fmt: skip
def broker_closed(desk: Desk) -> Said:
    return desk.check((f"port: {desk.parts.tls_port}", f"port: {desk.parts.closed_port}"))


@mistake(
    WHO, "the broker's name is misspelt", 1,
    what="the name cannot be resolved", where="tram-hai.invalid", todo="check broker.host",
)  # fmt: skip
def broker_without_name(desk: Desk) -> Said:
    return desk.check(("host: 127.0.0.1", "host: tram-hai.invalid"))


@mistake(
    WHO, "TLS is asked of a port without TLS", 1,
    what="hung up", where="broker 127.0.0.1:{port}", todo="does this port speak TLS",
)  # fmt: skip
def broker_without_tls(desk: Desk) -> Said:
    return desk.check((f"port: {desk.parts.tls_port}", f"port: {desk.parts.port}"))


@mistake(
    WHO, "a port with TLS is asked without TLS", 1,
    what="hung up", where="broker 127.0.0.1:{port}", todo="broker.tls",
)  # fmt: skip
def tls_forgotten(desk: Desk) -> Said:
    return desk.check((desk.tls, ""))


@mistake(
    WHO, "the broker's password is that of last year", 1,
    what="password", where="broker 127.0.0.1:{port}", todo="broker.password",
)  # fmt: skip
def broker_password(desk: Desk) -> Said:
    desk.file("password", "of last year\n").chmod(0o600)
    port = f"port: {desk.parts.tls_port}", f"port: {desk.parts.guarded_port}"
    return desk.check(port, (desk.tls, "  username: hai-ninh-01\n  password: {file: password}\n"))


@mistake(
    WHO, "the broker's password lies where everybody can read it", 0,
    what="can be read", where="password", todo="chmod 600",
)  # fmt: skip
def password_mode(desk: Desk) -> Said:
    desk.file("password", "of last year\n").chmod(0o644)
    file = desk.box((desk.tls, f"  username: hai-ninh-01\n  password: {{file: password}}\n{desk.tls}"))
    return desk.ngatu("check", "--offline", "-c", file, reader=messages.table)


@mistake(
    WHO, "another authority is trusted than the broker's", 1,
    what="signed by an unknown authority", where="broker 127.0.0.1:{port}", todo="set broker.tls.ca",
)  # fmt: skip
def wrong_authority(desk: Desk) -> Said:
    return desk.check((str(desk.parts.authority.file), str(desk.parts.stranger.file)))


@mistake(
    WHO, "the authority's file is a web page", 1,
    what="holds no certificate", where="broker.tls.ca: ca.pem", todo="check broker.tls",
)  # fmt: skip
def authority_is_a_page(desk: Desk) -> Said:
    desk.file("ca.pem", PORTAL)
    return desk.check((str(desk.parts.authority.file), "ca.pem"))


@mistake(
    WHO, "the box's key is that of another certificate", 1,
    what="is not the key of", where="broker.tls.key", todo="check broker.tls",
)  # fmt: skip
def key_of_another(desk: Desk) -> Said:
    certificate, _ = desk.parts.authority.issue("key-of-one")
    _, key = desk.parts.authority.issue("key-of-another")
    ca = desk.parts.authority.file
    return desk.check((f"{{ca: {ca}}}", f"{{ca: {ca}, cert: {certificate}, key: {key}}}"))


@mistake(
    WHO, "the broker's certificate has expired", 1,
    what="has expired", where="broker 127.0.0.1:{port}", todo="renew",
)  # fmt: skip
def expired(desk: Desk) -> Said:
    return desk.check((f"port: {desk.parts.tls_port}", f"port: {desk.parts.expired_port}"))


@mistake(
    WHO, "the broker is called by an address that is not in its certificate", 1,
    what="is made out to another name", where="broker 127.0.0.1:{port}", todo="broker.host",
)  # fmt: skip
def another_name(desk: Desk) -> Said:
    return desk.check((f"port: {desk.parts.tls_port}", f"port: {desk.parts.other_name_port}"))


@mistake(WHO, "the box's clock stands in 1970", 1, what="before 2026", where="clock", todo="set up NTP")
def clock_of_1970(desk: Desk) -> Said:
    if shutil.which("faketime") is None:
        raise NotTried("faketime is not here: apt install faketime")
    file = desk.box((f"port: {desk.parts.tls_port}", f"port: {desk.parts.port}"), (desk.tls, ""))
    command = ["faketime", "1970-01-01 07:00:00", *NGATU, "check", "-c", file]
    return desk.run(command, messages.whole_table)


@mistake(WHO, "state_dir is a file", 1, what="state", where="state", todo="state_dir")
def state_is_a_file(desk: Desk) -> Said:
    desk.file("state", "")
    return desk.check()


@mistake(
    WHO,
    "state_dir may not be entered by who calls",
    1,
    what="may not be entered",
    where="state_dir state",
    todo="chmod",
)
def state_forbidden(desk: Desk) -> Said:
    (desk.folder / "state").mkdir(mode=0)
    return desk.check(plain_user=True)


@mistake(
    WHO,
    "state_dir lies on a file system of 2 MB",
    1,
    what="2.0 MB free",
    where="state/outbox.db",
    todo="make room",
)
def state_too_small(desk: Desk) -> Said:
    with desk.small_disk("state", "2m"):
        return desk.check()


@mistake(
    WHO, "the box is started twice", 1,
    what="is in use by another process", where="outbox state/outbox.db", todo="is a second agent running",
)  # fmt: skip
def started_twice(desk: Desk) -> Said:
    with desk.at_work("run", "-c", desk.box(), until_it_says="started"):
        return desk.ngatu("run", "-c", "box.yaml", "--for", 3, reader=messages.log)


@mistake(WHO, "a time to run is given with its unit", 2, what="valid number", where="--for", todo="such as 60")
def run_for(desk: Desk) -> Said:
    return desk.ngatu("run", "-c", desk.box(), "--for", "1m")


@mistake(
    WHO, "the clip of a replay is a text", 1,
    what="is not a readable video", where="notes.mp4", todo="try another file",
)  # fmt: skip
def replay_text(desk: Desk) -> Said:
    desk.file("notes.mp4", "what I saw\n")
    return desk.ngatu("replay", "notes.mp4", "-c", desk.box())


@mistake(WHO, "the clip is a folder", 1, what="no such file", where="clips", todo="name a video file")
def replay_folder(desk: Desk) -> Said:
    (desk.folder / "clips").mkdir()
    return desk.ngatu("replay", "clips", "-c", desk.box())


@mistake(WHO, "a replay for a camera that is not in the file", 2, what="no camera", where="south", todo="north")
def replay_camera(desk: Desk) -> Said:
    return desk.ngatu("replay", desk.parts.clip, "-c", desk.box(), "--camera", "south")


@mistake(
    WHO, "the events of a replay go into a folder that is not there", 1,
    what="cannot be written", where="out/events.jsonl", todo="a folder that is there",
)  # fmt: skip
def replay_events(desk: Desk) -> Said:
    return desk.ngatu("replay", desk.parts.clip, "-c", desk.box(), "--events", "out/events.jsonl")


@mistake(WHO, "a date is written day first", 2, what="valid date", where="--start", todo="such as 2026-03-02")
def replay_start(desk: Desk) -> Said:
    return desk.ngatu("replay", desk.parts.clip, "-c", desk.box(), "--start", "02/03/2026")


@mistake(
    WHO, "another file is taken for an outbox", 1,
    what="file is not a database", where="outbox notes.txt", todo="is it yours to read?",
)  # fmt: skip
def outbox_text(desk: Desk) -> Said:
    desk.file("notes.txt", "what I saw\n" * 100)
    return desk.ngatu("outbox", "list", "--file", "notes.txt")
