"""deploy/ansible/new-box.yml: one file more in the inventory and a label, or nothing and a reason"""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.fleet.test_label import printed, read, shown

HERE = Path(sys.executable).parent
NEW = {"box": "hai-ninh-03", "commune": "hai-ninh", "address": "10.20.1.13", "place": 'Ngã tư: phía "bắc"'}


class Province:
    """A copy of the example, as an administrator has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = folder / "hosts"
        shutil.copytree(ROOT / "deploy/ansible/inventory/example", self.hosts)
        self.environment = {
            **os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{HERE}:{os.environ['PATH']}",
        }  # fmt: skip

    def words(self, *words: str, source: Path | str | None = None) -> list[str]:
        return [str(HERE / "ansible-playbook"), "-i", str(source or self.hosts), "new-box.yml", *words]

    def new(
        self, *words: str, source: Path | str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words("-e", json.dumps(NEW | variables), *words, source=source),
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            cwd=ROOT / "deploy/ansible", env=self.environment,
        )  # fmt: skip

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.hosts)): path.read_bytes()
            for path in self.hosts.rglob("*")
            if path.is_file()
        }

    def inventory(self) -> Any:
        done = subprocess.run(
            [str(HERE / "ansible-inventory"), "-i", str(self.hosts), "--list"],
            capture_output=True, text=True, timeout=60, check=True, cwd=ROOT / "deploy/ansible",
            env=self.environment,
        )  # fmt: skip
        return json.loads(done.stdout)


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path)


def test_a_new_box_is_one_file_more_and_everything_else_stays(province: Province) -> None:
    before = province.files()
    done = province.new()

    assert done.returncode == 0, done.stdout
    assert province.files().items() - before.items() == {
        ("box-hai-ninh-03.yml", (province.hosts / "box-hai-ninh-03.yml").read_bytes())
    }
    inventory = province.inventory()
    assert "hai-ninh-03" in inventory["commune_hai_ninh"]["hosts"]
    variables = inventory["_meta"]["hostvars"]["hai-ninh-03"]
    assert (variables["ansible_host"], variables["ngatu_agent_place"]) == (NEW["address"], NEW["place"])
    assert variables["ngatu_commune"] == "hai-ninh"


@pytest.mark.long
def test_its_label_is_shown_and_lies_beside_the_inventory(province: Province) -> None:
    done = province.new(contact="Công an xã Hải Ninh")

    text = (province.folder / "labels" / "hai-ninh-03.svg").read_text()
    assert read(printed(text)) == "ngatu:hai-ninh/hai-ninh-03"
    assert "Công an xã Hải Ninh" in text
    lines = [line.strip().removeprefix('"').removesuffix('",') for line in done.stdout.splitlines()]
    assert read(shown([line.removeprefix("- ").strip() for line in lines])) == "ngatu:hai-ninh/hai-ninh-03"


@pytest.mark.long
def test_the_same_again_changes_nothing_and_says_so(province: Province) -> None:
    province.new()
    file = province.hosts / "box-hai-ninh-03.yml"
    file.write_text(file.read_text() + "      # a note of mine\n")
    before = province.files()
    done = province.new(place="elsewhere")

    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout
    assert "hai-ninh-03 was in the inventory already: nothing was written" in done.stdout
    assert province.files() == before


@pytest.mark.long
@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"box": "Hai_Ninh 3"}, "box 'Hai_Ninh 3', commune 'hai-ninh': each is 2 to 32 of a-z"),
        ({"box": "station"}, "a box is not called station"),
        ({"address": "10.20.1.13; reboot"}, "neither an address nor a host name"),
        ({"address": "10.20.1"}, "'10.20.1' is no address: an IPv4 address is four numbers from 0 to 255"),
        ({"address": "--help"}, "neither an address nor a host name"),
        ({"place": "a { b"}, "without braces"),
        ({"commune": "hai-bac"}, "no group commune_hai_bac below ngatu_box; there are dong-ha, hai-ninh"),
        ({"box": "hai-ninh-01"}, "hai-ninh-01 is in the inventory already"),
        ({"box": "hai-ninh-01", "commune": "hai-tay", "address": "10.20.1.11"}, "as 10.20.1.11 in hai-ninh"),
        ({"address": "10.20.0.2"}, "10.20.0.2 is the address of tram-hai already"),
    ],
    ids=lambda each: "" if isinstance(each, str) else next(iter(each)),
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_written(
    province: Province, variables: dict[str, str], why: str
) -> None:
    before = province.files()
    done = province.new(**variables)

    assert done.returncode != 0
    assert why in done.stdout
    assert province.files() == before
    assert not (province.folder / "labels").exists()


@pytest.mark.long
def test_the_first_box_of_a_commune_is_like_the_others(province: Province) -> None:
    hosts = province.hosts / "hosts.yml"
    taken = """      hosts:
        hai-tay-01:
          ansible_host: 10.20.2.11
"""
    assert taken in hosts.read_text()
    hosts.write_text(hosts.read_text().replace(taken, ""))
    done = province.new(box="hai-tay-01", commune="hai-tay")

    assert done.returncode == 0, done.stdout
    assert province.inventory()["commune_hai_tay"]["hosts"] == ["hai-tay-01"]


@pytest.mark.long
@pytest.mark.parametrize("address", ["fd00:20:1::13", "hai-ninh-03.tram.example"])
def test_an_address_of_ipv6_and_a_host_name_pass(province: Province, address: str) -> None:
    done = province.new(address=address)

    assert done.returncode == 0, done.stdout
    assert province.inventory()["_meta"]["hostvars"]["hai-ninh-03"]["ansible_host"] == address


@pytest.mark.long
def test_what_comes_next_can_be_typed_as_it_is_shown_and_is_for_this_box_alone(province: Province) -> None:
    said = " ".join(province.new().stdout.split())
    command = said.partition("next: ")[2].partition("hai-ninh-03")[0] + "hai-ninh-03"

    assert command == f"ansible-playbook -i {province.hosts} site.yml --ask-vault-pass --limit hai-ninh-03"
    listed = subprocess.run(
        shlex.split(command.replace("--ask-vault-pass", "--list-hosts")),
        capture_output=True, text=True, timeout=60, check=True, cwd=ROOT / "deploy/ansible",
        env=province.environment,
    ).stdout  # fmt: skip
    assert set(re.findall(r"^      (\S+)$", listed, re.MULTILINE)) == {"hai-ninh-03"}


@pytest.mark.long
def test_who_opens_the_vault_by_the_environment_is_not_told_to_be_asked(province: Province) -> None:
    secret = province.folder / "vault.password"
    secret.write_text("open sesame, open\n")
    province.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(secret)
    said = " ".join(province.new().stdout.split())

    assert "site.yml --limit hai-ninh-03" in said


@pytest.mark.long
def test_a_commune_that_is_not_among_the_boxes_gets_none(province: Province) -> None:
    hosts = province.hosts / "hosts.yml"
    hosts.write_text(
        hosts.read_text().replace("        ngatu_commune: hai-ninh\n", "        ngatu_commune: hai-ninhh\n")
    )
    before = province.files()
    done = province.new()

    assert done.returncode != 0
    assert "whose ngatu_commune is hai-ninh: look at hosts.yml. hai-ninh-03 was not added" in done.stdout
    assert province.files() == before


@pytest.mark.long
def test_a_vault_in_the_inventory_is_opened_as_the_guide_says(province: Province) -> None:
    secret = province.folder / "vault.password"
    secret.write_text("open sesame, open\n")
    vault = province.hosts / "group_vars" / "all" / "vault.yml"
    vault.write_text("vault_ngatu_ca_passphrase: of the authority\n")
    subprocess.run(
        [HERE / "ansible-vault", "encrypt", "--vault-password-file", secret, vault],
        check=True, capture_output=True, timeout=60, env=province.environment,
    )  # fmt: skip

    assert vault.read_text().startswith("$ANSIBLE_VAULT")
    assert province.new().returncode != 0
    assert province.new("--vault-password-file", str(secret)).returncode == 0
    assert (province.hosts / "box-hai-ninh-03.yml").exists()


@pytest.mark.long
def test_an_inventory_of_one_file_takes_no_box(province: Province) -> None:
    done = province.new(source=province.hosts / "hosts.yml")

    assert done.returncode != 0
    assert "give one folder" in done.stdout


@pytest.mark.long
def test_a_try_writes_nothing(province: Province) -> None:
    before = province.files()
    done = province.new("--check")

    assert done.returncode == 0, done.stdout
    assert province.files() == before


@pytest.mark.long
def test_a_slash_behind_the_folder_does_not_put_the_label_into_the_inventory(province: Province) -> None:
    done = province.new(source=f"{province.hosts}/")

    assert done.returncode == 0, done.stdout
    assert (province.folder / "labels" / "hai-ninh-03.svg").exists()


@pytest.mark.long
@pytest.mark.timeout(60)
def test_without_words_it_asks(province: Province) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        province.words(), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=ROOT / "deploy/ansible", env=province.environment, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, "\n".join((*NEW.values(), "")).encode())
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(ours)

    assert process.returncode == 0, printed
    assert "Its commune, as in the inventory" in printed
    assert "10.20.1.13" in (province.hosts / "box-hai-ninh-03.yml").read_text()


def test_a_place_with_blanks_that_ansible_would_cut_is_refused(province: Province) -> None:
    before = province.files()
    done = province.new("-e", "place=Ngã tư Lê Lợi")

    assert done.returncode != 0
    assert "'tư Lê Lợi' belongs to nothing" in done.stdout and '-e \'{"place": ' in done.stdout.replace(
        "\\", ""
    )
    assert province.files() == before
