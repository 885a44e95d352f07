"""The province's two database servers as the role makes them: its files, its commands, and a real PostgreSQL.

Each has an address of loopback of its own, 127.0.0.2 and 127.0.0.3: both have one port, as two hosts have.
Only paths, users of the system and `peer` are others than on a host.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jinja2 import Environment, StrictUndefined

from fleet.ca import authority
from tests.support.brokers import free_port, until
from tests.support.stores import program

ROLE = Path(__file__).resolve().parents[2] / "deploy/ansible/roles/ngatu_province_database"
HOSTS = ("127.0.0.2", "127.0.0.3")
PASSWORD, REPLICA_PASSWORD = "a-password-of-the-tests", "another-one-of-the-tests"
SLOT = re.compile(r"select pg_create_physical_replication_slot.*?'ngatu_standby'\)", re.DOTALL)


def rendered(text: str, **more: Any) -> str:
    """A text of the role with what is plain of its own variables, and some others."""
    place = Environment(
        undefined=StrictUndefined, trim_blocks=True, autoescape=False, keep_trailing_newline=True
    )
    plain: dict[str, Any] = {"ansible_managed": ""}
    for name in ("defaults", "vars"):
        plain |= yaml.safe_load((ROLE / name / "main.yml").read_text())
    return place.from_string(text).render(plain | more)


def template(name: str, **more: Any) -> str:
    """A template of the role."""
    return rendered((ROLE / "templates" / name).read_text(), **more)


class DatabaseServer:
    """One server, over several lives of its process."""

    def __init__(self, folder: Path, number: int, port: int) -> None:
        self.host, self.other = HOSTS[number], HOSTS[1 - number]
        self.etc, self.data = folder / f"etc-{number}", folder / f"data-{number}"
        self.socket = folder / f"socket-{number}"
        self.log = folder / f"postgresql-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.user: dict[str, Any] = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
        for each in (self.etc / "conf.d", self.socket):
            each.mkdir(parents=True)
        initdb = program("initdb")
        assert initdb is not None
        self.given: dict[str, Any] = {
            "ngatu_province_database_host": self.host, "ngatu_province_database_other": self.other,
            "ngatu_province_database_listen": self.host, "ngatu_province_database_port": port,
            "ngatu_province_database_from": ["127.0.0.0/8"],
            "ngatu_province_database_peers": ["127.0.0.0/8"],
            "ngatu_province_database_password": PASSWORD,
            "ngatu_province_database_replica_password": REPLICA_PASSWORD,
            "ngatu_province_database_tls_dir": str(self.etc),
            "ngatu_province_database_pgpass": str(self.etc / "ngatu.pgpass"),
            "ngatu_province_database_etc": str(self.etc), "ngatu_province_database_data": str(self.data),
            "ngatu_province_database_bin": str(Path(initdb).resolve().parent),
            "ngatu_province_database_shared_buffers": "32MB", "ngatu_province_database_wal_keep": "128MB",
        }  # fmt: skip

    def configure(self, folder: Path) -> None:
        """What the role's `configure` puts there, with a certificate of the authority in the folder."""
        (self.etc / "postgresql.conf").write_text(
            f"data_directory = '{self.data}'\nhba_file = '{self.etc}/pg_hba.conf'\n"
            f"ident_file = '{self.etc}/pg_ident.conf'\n"
            f"unix_socket_directories = '{self.socket}'\ninclude_dir = 'conf.d'\n"
        )
        (self.etc / "pg_ident.conf").write_text("")
        (self.etc / "conf.d" / "ngatu.conf").write_text(self.template("ngatu.conf.j2"))
        hba = self.template("pg_hba.conf.j2")
        assert hba.count("peer\n") == 1
        (self.etc / "pg_hba.conf").write_text(hba.replace("peer\n", "trust\n"))
        (self.etc / "ngatu.pgpass").write_text(f"*:*:*:ngatu_replica:{REPLICA_PASSWORD}\n")
        (self.etc / "ngatu.pgpass").chmod(0o600)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.host)])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        opened = authority.unlock(folder / "ca", PASSWORD)
        signed = opened.sign(
            asked.public_bytes(serialization.Encoding.PEM), "broker", self.host, datetime.now(UTC)
        )
        (self.etc / "province-database.crt").write_bytes(signed)
        path = self.etc / "province-database.key"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        path.chmod(0o600)
        shutil.copyfile(folder / "ca" / "ca.crt", self.etc / "ca.crt")
        self.waits(False)

    def waits(self, for_the_standby: bool) -> None:
        """What the role's `sync` puts there, and the server reads it if it runs."""
        text = template("ngatu-sync.conf.j2", ngatu_province_database_waits=for_the_standby, **self.given)
        (self.etc / "conf.d" / "ngatu-sync.conf").write_text(text)
        self._own()
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def make(self) -> None:
        """An empty cluster, as Debian's package makes one."""
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        """Run it; back when it answers."""
        self._own()
        postgres = program("postgres")
        assert postgres is not None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [postgres, f"--config-file={self.etc}/postgresql.conf"],
                stdout=log, stderr=log, cwd="/", start_new_session=True, **self.user,
            )  # fmt: skip
        until(self._answers, 240, f"PostgreSQL answers; its log says {self.log.read_text()[-1500:]}")

    def stop(self) -> None:
        """As an operator does it."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut does it: the whole of it at once."""
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):  # each of its children has a session of its own
                all_of_it = [*psutil.Process(self._process.pid).children(), self._process]
                for each in all_of_it:
                    with suppress(psutil.NoSuchProcess):
                        each.send_signal(signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def promote(self) -> None:
        """As the guide says it: `pg_ctlcluster VERSION main promote`, which is this."""
        self._run("pg_ctl", "promote", "-D", str(self.data), "-w")

    def does(self, tasks: str, word: str) -> None:
        """The command of the role's tasks in which this word is."""
        self._run(*(rendered(each, **self.given) for each in self.words(tasks, word)))

    def words(self, tasks: str, word: str) -> list[str]:
        """Of that command, as they stand in the role, without those that change the user."""
        found = yaml.safe_load((ROLE / "tasks" / tasks).read_text())
        lists = [task["ansible.builtin.command"]["argv"] for task in found if "ansible.builtin.command" in task]
        (argv,) = ([str(each) for each in argv] for argv in lists if word in " ".join(map(str, argv)))
        assert argv[:3] == ["runuser", "--user=postgres", "--"]
        return argv[3:]

    def asks(self, query: str) -> str:
        """One value, by the superuser; nothing where there is none."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            asked = connection.execute(query)  # type: ignore[call-overload]
            row = asked.fetchone() if asked.description else None
            return str(row[0]) if row else ""

    def tells(self, script: str) -> None:
        """A script for psql, on its standard input."""
        self._run("psql", "-Xq", "-d", self.dsn(), given=script)

    def follows(self) -> None:
        """It is a standby from its next start on."""
        (self.data / "standby.signal").touch()
        self._own()

    def dsn(self, database: str = "postgres") -> str:
        """For the superuser, on the server's own host."""
        port = self.given["ngatu_province_database_port"]
        return f"host={self.socket} port={port} user=postgres dbname={database}"

    def template(self, name: str) -> str:
        """A template of the role with this server's variables."""
        return template(name, **self.given)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log.read_text()[-3000:]
        try:
            return self.asks("select 1") == "1"
        except psycopg.OperationalError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(240)
            self._process = None

    def _own(self) -> None:
        if self.user:
            for root in (self.etc, self.data, self.socket):
                for path in [root, *root.rglob("*")] if root.exists() else []:
                    with suppress(FileNotFoundError):  # a server that runs has files that come and go
                        shutil.chown(path, "nobody", "nogroup")

    def _run(self, name: str, *words: str, given: str = "") -> None:
        self._own()
        path = name if "/" in name else program(name)
        done = subprocess.run(
            [str(path), *words],
            input=given, cwd="/", capture_output=True, text=True, check=False, timeout=300, **self.user,
        )  # fmt: skip
        assert done.returncode == 0, f"{name} {words}: {done.stdout}{done.stderr}"


class Pair:
    """Primary and standby, of which the first follows nobody at first; `made` sets both up as the role does."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        authority.make(folder / "ca", "tests", PASSWORD, datetime.now(UTC))
        port = free_port()
        self.ca = folder / "ca" / "ca.crt"
        self.port = port
        self.servers = [DatabaseServer(folder, number, port) for number in (0, 1)]
        for each in self.servers:
            each.configure(folder)
            if each.user:
                shutil.chown(folder, "nobody", "nogroup")
        (folder / "ca").chmod(0o755)

    def made(self) -> Pair:
        """Both run, and the first waits for the second at each commit."""
        first, second = self.servers
        first.make()
        first.start()
        first.tells(first.template("roles.sql.j2"))
        first.asks(slot())
        second.does("copy.yml", "pg_basebackup")
        (second.data.with_name(f"{second.data.name}.copy")).rename(second.data)
        second.follows()
        second.start()
        self.wait_for_standby(first)
        return self

    def wait_for_standby(self, primary: DatabaseServer) -> None:
        """As the role's `sync`: it streams, and then it counts."""
        streams = "select state from pg_stat_replication where application_name = 'ngatu_standby'"
        until(lambda: primary.asks(streams) == "streaming", 240, "the standby streams")
        primary.waits(True)
        counts = "select sync_state from pg_stat_replication where application_name = 'ngatu_standby'"
        until(lambda: primary.asks(counts) == "sync", 240, "the standby counts")

    def end(self) -> None:
        """All of it."""
        for each in self.servers:
            each.kill()


def slot() -> str:
    """The role's own words."""
    found = SLOT.search((ROLE / "tasks" / "primary.yml").read_text())
    assert found is not None
    return found[0]
