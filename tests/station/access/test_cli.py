"""station.access.cli"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.access.audit_entry import AuditVerb
from station.access.audit_log import AuditQuery
from station.access.roles import Role
from station.cli import commands
from tests.support.people import LAN, People
from tests.support.stores import Place

app = typer.Typer()
app.add_typer(commands)


@pytest.fixture
def people(sqlite_place: Place) -> People:
    return People(sqlite_place)


def run(people: People, *words: str, language: str = "en") -> tuple[int, str, str]:
    file = people.place.folder / "station.yaml"
    file.write_text(f"commune: hai-ninh\nstate_dir: {people.place.folder}\nbroker: {{host: localhost}}\n")
    environment = {"COLUMNS": "200", "TZ": "UTC", "LANGUAGE": language}
    result = CliRunner().invoke(app, ["station", *words, "-c", str(file)], env=environment)
    return result.exit_code, result.stdout, result.stderr


def verbs(people: People) -> list[tuple[str, str]]:
    """By commands: they say which user of the machine it was."""
    return [(each.verb, each.subject) for each in people.audit.every(AuditQuery()) if each.name][::-1]


def test_an_account_is_added_shown_and_its_password_works(people: People) -> None:
    assert run(people, "account", "list")[1].startswith("there is no account yet")
    code, out, err = run(people, "account", "add", "Lan", "--name", "Nguyễn Thị Lan", "--role", "supervisor")
    assert (code, err) == (0, "")
    login, password = out.split()[:2]
    people.accounts.change_own("lan", password, "ba con mèo ngồi hiên")
    _, out, _ = run(people, "account", "list")

    assert login == "lan:"
    assert out.splitlines()[1].split() == ["lan", "Nguyễn", "Thị", "Lan", "supervisor", "never"]
    assert verbs(people) == [("account_made", "lan")]
    assert password not in str(list(people.audit.every(AuditQuery())))


def test_password_disable_and_enable_do_so_and_are_written_down(people: People) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    people.somebody("lan")
    code, out, _ = run(people, "account", "password", "lan")
    assert (code, out.split()[0]) == (0, "lan:")
    assert run(people, "account", "disable", "lan") == (0, "", "")
    assert people.accounts.find("lan").disabled  # type: ignore[union-attr]
    assert "disabled" in run(people, "account", "list")[1]
    assert run(people, "account", "enable", "lan") == (0, "", "")

    assert not people.accounts.find("lan").disabled  # type: ignore[union-attr]
    assert verbs(people) == [
        ("password_changed", "lan"),
        ("account_changed", "lan"),
        ("account_changed", "lan"),
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["add", "lan nguyễn", "--name", "x"], "cannot be a login"),
        (["add", "chi", "--name", "x"], "already"),
        (["add", "hoa", "--name", " "], "a name has"),
        (["disable", "chi"], "last administrator"),
        (["enable", "nobody"], "no account nobody"),
        (["password", "nobody"], "no account nobody"),
    ],
)
def test_what_cannot_be_done_is_told_and_ends_with_1(people: People, words: list[str], why: str) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    code, out, err = run(people, "account", *words)

    assert (code, out, why in err) == (1, "", True), err
    assert verbs(people) == []


def test_a_role_that_is_none_ends_with_2(people: People) -> None:
    code, _, err = run(people, "account", "add", "lan", "--name", "Lan", "--role", "boss")

    assert (code, "there is no role 'boss'" in err) == (2, True)


def test_without_a_store_the_command_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(f"commune: hai-ninh\nstate_dir: {tmp_path}\nbroker: {{host: localhost}}\n")
    result = CliRunner().invoke(app, ["station", "account", "list", "-c", str(file)])

    assert result.exit_code == 1
    assert "start the station once" in result.stderr
    assert not (tmp_path / "station.db").exists()


def test_the_consoles_log_is_shown_and_verified(people: People) -> None:
    people.audit.note(LAN, AuditVerb.LOOK_UP, "north-01\x1b", {"label": "car"})
    people.audit.note(LAN, AuditVerb.EXPORT, "north-01", {})
    code, out, _ = run(people, "audit", "--console", "--since", "2020-01-01")
    lines = out.splitlines()

    assert code == 0
    assert "lan" in lines[1] and "looked up events" in lines[1] and "\x1b" not in out
    assert lines[-1] == "all 2 entries are as they were written"
    assert "tra cứu sự kiện" in run(people, "audit", "--console", "--since", "2020-01-01", language="vi")[1]
    _, out, _ = run(people, "audit", "--console", "--since", "2020-01-01", "--json")
    assert [json.loads(line)["verb"] for line in out.splitlines()] == ["look_up", "export"]
    assert json.loads(out.splitlines()[0])["detail"] == {"label": "car"}
    assert run(people, "audit", "--console", "--since", "2099-01-01")[1].startswith("nobody did anything")


def test_an_altered_entry_ends_audit_and_verify_with_1_and_is_named(people: People) -> None:
    for _ in range(3):
        people.audit.note(LAN, AuditVerb.LOOK_UP)
    assert run(people, "verify")[:2] == (0, "everything is as it came\n")
    people.place.do("update audit_entry set login = 'hoa' where id = 2")
    words = "audit log of the console: not what it was: entry 2\n"

    code, _, err = run(people, "audit", "--console")
    assert (code, err) == (1, words)
    assert run(people, "verify")[:2] == (1, words)
