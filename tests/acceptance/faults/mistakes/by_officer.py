"""The officer on duty: mistakes with what shows, asks, orders and keeps."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.acceptance.faults.mistakes import messages
from tests.acceptance.faults.mistakes.desk import Desk
from tests.acceptance.faults.mistakes.mistake import Said, mistake
from tests.acceptance.faults.mistakes.parts import POLE

WHO = "officer"


def watch(desk: Desk, port: int, *words: object, **more: object) -> Said:
    """Look on for two seconds."""
    return desk.ngatu("watch", "--port", port, "--for", 2, *words, **more)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- looking on


@mistake(
    WHO, "`watch` at a port where nothing listens", 1,
    what="nothing listens there", where="broker 127.0.0.1:{port}", todo="is the port right?",
)  # fmt: skip
def watch_closed(desk: Desk) -> Said:
    return watch(desk, desk.parts.closed_port)


@mistake(
    WHO, "`watch` at a host whose name is misspelt", 1,
    what="the name cannot be resolved", where="tram-hai.invalid", todo="an address works without DNS",
)  # fmt: skip
def watch_misspelt(desk: Desk) -> Said:
    return watch(desk, desk.parts.port, "--host", "tram-hai.invalid")


@mistake(WHO, "`watch` at a port that no machine has", 2, what="is outside", where="--port", todo="1..65535")
def watch_no_port(desk: Desk) -> Said:
    return desk.ngatu("watch", "--port", 99999)


@mistake(
    WHO, "`watch` of a commune as it is written in letters", 2,
    what='"Hải Ninh" is not', where="--commune", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def watch_commune(desk: Desk) -> Said:
    return watch(desk, desk.parts.port, "--commune", "Hải Ninh")


@mistake(
    WHO, "`watch` without TLS at a port with TLS", 1,
    what="hung up", where="broker 127.0.0.1:{port}", todo="TLS",
)  # fmt: skip
def watch_without_tls(desk: Desk) -> Said:
    return watch(desk, desk.parts.tls_port)


@mistake(
    WHO, "`watch` without a password where one is wanted", 1,
    what="broker 127.0.0.1:{port}", where="127.0.0.1:{port}", todo="password",
)  # fmt: skip
def watch_without_password(desk: Desk) -> Said:
    return watch(desk, desk.parts.guarded_port)


@mistake(
    WHO, "`watch` with a password file that is not there", 2,
    what="does not exist", where="'password'", todo="--password-file",
)  # fmt: skip
def watch_password_file(desk: Desk) -> Said:
    return watch(desk, desk.parts.guarded_port, "--username", "hai-ninh-01", "--password-file", "password")


@mistake(
    WHO, "`watch` with a certificate and no authority", 2,
    what="nothing is encrypted", where="--cert", todo="goes only with --tls-ca",
)  # fmt: skip
def watch_without_authority(desk: Desk) -> Said:
    certificate, key = desk.parts.authority.issue("watch-one")
    return watch(desk, desk.parts.port, "--cert", certificate, "--key", key)


@mistake(
    WHO, "`watch` as a station, as it once was", 2,
    what="only looks, and keeps nothing", where="--store", todo="ngatu station --commune",
)  # fmt: skip
def watch_store(desk: Desk) -> Said:
    return watch(desk, desk.parts.port, "--store", "mine.db")


@mistake(
    WHO, "`watch` saves pictures into a folder that may not be written", 1,
    what="nothing can be written there", where="--save pictures", todo="name a folder that you may write to",
)  # fmt: skip
def watch_save(desk: Desk) -> Said:
    (desk.folder / "pictures").mkdir(mode=0o500)
    return watch(desk, desk.parts.port, "--save", "pictures", plain_user=True)


@mistake(
    WHO, "`watch` with topics that no topic may begin with", 2,
    what="cannot begin a topic", where="--root", todo="use levels such as ngatu/v1",
)  # fmt: skip
def watch_root(desk: Desk) -> Said:
    return watch(desk, desk.parts.port, "--root", "ngatu/#")


# ------------------------------------------------------------------------------------------------ the station


@mistake(
    WHO, "the station is started before it has a file", 2,
    what="cannot be read: No such file", where="/etc/ngatu-station/station.yaml",
    todo="ngatu station --commune NAME",
)  # fmt: skip
def station_without_file(desk: Desk) -> Said:
    return desk.ngatu("station")


@mistake(
    WHO, "the box's file is given to the station", 2,
    what="this is the file of a box", where="box.yaml:1", todo="ngatu station example",
)  # fmt: skip
def file_of_a_box(desk: Desk) -> Said:
    return desk.ngatu("station", "-c", desk.box())


@mistake(
    WHO, "a station for a commune as it is written in letters", 2,
    what='"Hải Ninh" is not', where="--commune", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def station_commune(desk: Desk) -> Said:
    return desk.ngatu("station", "--commune", "Hải Ninh", "--for", 1)


@mistake(
    WHO, "a station for another commune in the same folder", 2,
    what="commune is kept, not hai-tay", where="station.yaml", todo="--folder",
)  # fmt: skip
def another_commune(desk: Desk) -> Said:
    desk.store()
    return desk.ngatu("station", "--commune", "hai-tay", "--folder", ".", "--port", desk.parts.port)


@mistake(
    WHO, "the station is started twice", 1,
    what="is in use by another process", where="state", todo="stop the other station",
)  # fmt: skip
def station_twice(desk: Desk) -> Said:
    place = desk.parts.station_log().parent
    return desk.ngatu("station", "-c", "station.yaml", "--for", 3, reader=messages.log, cwd=place)


@mistake(
    WHO, "the station's folder may not be written", 1,
    what="Permission denied", where="state/station.lock", todo="make state_dir writable",
)  # fmt: skip
def station_folder(desk: Desk) -> Said:
    (desk.folder / "state").mkdir(mode=0o500)
    return desk.ngatu("station", "-c", desk.station(), "--for", 3, plain_user=True, reader=messages.log)


@mistake(
    WHO, "the store is on a disk that is full", 1,
    what="full", where="state", todo="free",
)  # fmt: skip
def station_disk(desk: Desk) -> Said:
    with desk.small_disk("state", "64k"):
        return desk.ngatu("station", "-c", desk.station(), "--for", 3, reader=messages.log)


@mistake(
    WHO, "an older station is started on the database of a newer one", 1,
    what="was written by a newer station", where="state/station.db", todo="install the newer ngatu again",
)  # fmt: skip
def newer_database(desk: Desk) -> Said:
    file = desk.store()
    with closing(sqlite3.connect(desk.folder / "state/station.db")) as database, database:
        database.execute("update alembic_version set version_num = '0099'")
    return desk.ngatu("station", "-c", file, "--for", 3, reader=messages.log)


@mistake(
    WHO, "the database is no database", 1,
    what="file is not a database", where="state/station.db", todo="move it away",
)  # fmt: skip
def no_database(desk: Desk) -> Said:
    desk.file("state/station.db", "notes of the shift\n" * 100)
    return desk.ngatu("station", "-c", desk.station(), "--for", 3, reader=messages.log)


@mistake(
    WHO, "the station is started before its broker", 0,
    what="nothing listens there", where="broker 127.0.0.1:{port}", todo="is the broker running",
)  # fmt: skip
def station_before_broker(desk: Desk) -> Said:
    return desk.ngatu("station", "-c", desk.station(desk.parts.closed_port), "--for", 2, reader=messages.log)


@mistake(
    WHO, "the store is looked into before there is one", 1,
    what="unable to open database file", where="state/station.db", todo="readable",
)  # fmt: skip
def stats_of_nothing(desk: Desk) -> Said:
    return desk.ngatu("station", "stats", "-c", desk.station())


@mistake(
    WHO, "events are asked for since tomorrow", 2, what="tomorrow", where="--since", todo="say it as in 2h"
)
def since_tomorrow(desk: Desk) -> Said:
    return desk.ngatu("station", "events", "-c", desk.store(), "--since", "tomorrow")


@mistake(
    WHO, "`import` of another file than that of `watch --store`", 1,
    what="file is not a database", where="mine.db", todo="is it there, whole",
)  # fmt: skip
def import_text(desk: Desk) -> Said:
    desk.file("mine.db", "notes of the shift\n" * 100)
    return desk.ngatu("station", "import", "mine.db", "-c", desk.station())


# ------------------------------------------------------------------------------------------------------ backup


@mistake(
    WHO, "a backup without saying whereto", 2,
    what="there is no folder to write to", where="backup.folder", todo="name one",
)  # fmt: skip
def backup_nowhere(desk: Desk) -> Said:
    return desk.ngatu("station", "backup", "-c", desk.store())


@mistake(
    WHO, "a backup into the folder of the store", 1,
    what="is the store's own folder", where="state/backup", todo="another disk",
)  # fmt: skip
def backup_into_store(desk: Desk) -> Said:
    return desk.ngatu("station", "backup", "state/backup", "-c", desk.store())


@mistake(
    WHO, "a backup onto the disk of the store", 0,
    what="lies on the disk of the store", where="second:", todo="a folder on another disk",
)  # fmt: skip
def backup_same_disk(desk: Desk) -> Said:
    return desk.ngatu("station", "backup", "second", "-c", desk.store())


@mistake(
    WHO, "a backup into a folder with other papers", 1,
    what="holds other files and no backup", where="papers", todo="name an empty folder",
)  # fmt: skip
def backup_papers(desk: Desk) -> Said:
    desk.file("papers/letter.txt", "Dear")
    return desk.ngatu("station", "backup", "papers", "-c", desk.store())


@mistake(WHO, "a backup onto a stick that is full", 1, what="MiB are to be copied", where="stick", todo="free")
def backup_full(desk: Desk) -> Said:
    with desk.small_disk("stick", "64k"):
        return desk.ngatu("station", "backup", "stick", "-c", desk.store())


@mistake(
    WHO, "a restore over a store that is there", 1,
    what="is not empty", where="state", todo="restore into a new place",
)  # fmt: skip
def restore_over(desk: Desk) -> Said:
    return desk.ngatu("station", "restore", "backup", "-c", desk.store())


@mistake(
    WHO, "a restore from a stick that is not mounted", 1,
    what="holds no backup", where="stick", todo="is its disk mounted?",
)  # fmt: skip
def restore_unmounted(desk: Desk) -> Said:
    (desk.folder / "stick").mkdir()
    return desk.ngatu("station", "restore", "stick", "-c", desk.station())


@mistake(
    WHO, "a restore of the backup of `yesterday`", 1,
    what="holds no whole backup yesterday", where="backup", todo="there are: 000001-",
)  # fmt: skip
def restore_yesterday(desk: Desk) -> Said:
    desk.store()
    file = desk.station(state_dir="new")
    return desk.ngatu("station", "restore", "backup", "-c", file, "--which", "yesterday")


# ------------------------------------------------------------------------------------------------------ orders


def order(desk: Desk, *words: object, port: int | None = None) -> Said:
    """To the box at work, or to one that is not."""
    desk.box_at_work()
    return desk.ngatu("station", "command", *words, "-c", desk.station(port), reader=messages.log)


@mistake(
    WHO, "an order to a box that is not there", 1,
    what="knows no such box", where="hai-ninh-99", todo="look at its name",
)  # fmt: skip
def order_nobody(desk: Desk) -> Said:
    return order(desk, "hai-ninh-99", "ping", "--wait", 1)


@mistake(WHO, "an order with a slip in its verb", 2, what="snapshoot", where="snapshoot", todo="snapshot")
def order_verb(desk: Desk) -> Said:
    return order(desk, POLE, "snapshoot", "camera=north", "--wait", 3)


@mistake(WHO, "an order without KEY=", 2, what="north", where="north", todo="camera=north")
def order_words(desk: Desk) -> Said:
    return order(desk, POLE, "snapshot", "north", "--wait", 3)


@mistake(WHO, "an order until tomorrow", 2, what="tomorrow", where="until", todo="+")
def order_until(desk: Desk) -> Said:
    return order(desk, POLE, "set", "camera=north", "action=pause", "until=tomorrow", "--wait", 3)


@mistake(WHO, "an order for a camera that the box does not have", 1, what="south", where="camera", todo="north")
def order_camera(desk: Desk) -> Said:
    return order(desk, POLE, "snapshot", "camera=south", "--wait", 10)


@mistake(
    WHO, "an order is signed with a key that is not there", 1,
    what="cannot be read as a private key", where="key.pem", todo="openssl genpkey",
)  # fmt: skip
def order_key(desk: Desk) -> Said:
    return order(desk, POLE, "ping", "--key", "key.pem")


@mistake(
    WHO, "an order while the broker is away", 1,
    what="nothing listens there", where="broker 127.0.0.1:{port}", todo="is the broker running",
)  # fmt: skip
def order_away(desk: Desk) -> Said:
    return order(desk, POLE, "ping", port=desk.parts.closed_port)
