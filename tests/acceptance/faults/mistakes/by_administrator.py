"""The administrator: mistakes with playbooks, releases, certificates and labels."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.acceptance.faults.mistakes import messages
from tests.acceptance.faults.mistakes.desk import Desk, as_json
from tests.acceptance.faults.mistakes.mistake import Said, mistake
from tests.acceptance.faults.suite import NotTried
from tests.conftest import ROOT

WHO = "administrator"
PLAYBOOKS = ROOT / "deploy/ansible"
TOOL = PLAYBOOKS / "roles/ngatu_agent/files/ngatu_release"
PASS = ("--passphrase-file", "passphrase")


def inventory(desk: Desk, *changes: tuple[str, str]) -> None:
    """A copy of the example with texts of hosts.yml changed."""
    shutil.copytree(PLAYBOOKS / "inventory/example", desk.folder / "hosts", dirs_exist_ok=True)
    text = (desk.folder / "hosts/hosts.yml").read_text(encoding="utf-8")
    for one, other in changes:
        assert one in text, one
        text = text.replace(one, other)
    desk.file("hosts/hosts.yml", text)


def playbook(desk: Desk, name: str, *words: str) -> Said:
    """Run the real one over the copy."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(desk.folder / "hosts"), name]
    places = {"ANSIBLE_HOME": str(desk.folder / "ansible"), "ANSIBLE_LOCAL_TEMP": str(desk.folder / "tmp")}
    places["ANSIBLE_REMOTE_TEMP"] = str(desk.folder / "remote")
    more = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_RESULT_FORMAT": "json"}
    return desk.run([*command, *words], messages.ansible, cwd=PLAYBOOKS, env=places | more)


def on_this_machine(desk: Desk, name: str, *words: str) -> Said:
    """A playbook in check mode, where this machine stands for the box."""
    inventory(desk, ("ansible_host: 10.20.1.11", "ansible_connection: local"))
    more = ["--check", "--limit", "hai-ninh-01", "-e", as_json(ansible_become=False)]
    return playbook(desk, name, *more, *words)


def new_box(desk: Desk, **variables: str) -> Said:
    """One more box in the copy."""
    inventory(desk)
    new = {"box": "hai-ninh-03", "commune": "hai-ninh", "address": "10.20.1.13", "place": "Le Loi"}
    return playbook(desk, "new-box.yml", "-e", as_json(**(new | variables)))


@mistake(
    WHO, "new-box.yml for a name with capitals, spaces and diacritics", 2,
    what="box 'Hải Ninh 03'", where="box", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def new_box_name(desk: Desk) -> Said:
    return new_box(desk, box="Hải Ninh 03")


@mistake(WHO, "new-box.yml for a part of an address", 2, what="10.20.1", where="address", todo="such as")
def new_box_address(desk: Desk) -> Said:
    return new_box(desk, address="10.20.1")


@mistake(
    WHO, "new-box.yml for a commune that is not in the inventory", 2,
    what="There is no group commune_hai_bac", where="below ngatu_box", todo="Add a commune by hand",
)  # fmt: skip
def new_box_commune(desk: Desk) -> Said:
    return new_box(desk, commune="hai-bac")


@mistake(
    WHO, "new-box.yml for a second box of one id", 2,
    what="hai-ninh-01 is in the inventory already", where="hosts/hosts.yml", todo="Take another name",
)  # fmt: skip
def new_box_taken(desk: Desk) -> Said:
    return new_box(desk, box="hai-ninh-01")


@mistake(
    WHO, "a line of the inventory is indented wrong", 1,
    what="parse inventory source", where="hosts/hosts.yml", todo="hosts.yml",
)  # fmt: skip
def inventory_slip(desk: Desk) -> Said:
    inventory(desk, ("          ansible_host: 10.20.1.12", "\t ansible_host: 10.20.1.12"))
    return playbook(desk, "site.yml", "--check")


@mistake(
    WHO, "site.yml before the user of ansible_user is on the box", 2,
    what="hai-ninh-01 has no user admin", where="ngatu_base_ssh_user", todo="make one there",
)  # fmt: skip
def no_such_user(desk: Desk) -> Said:
    return on_this_machine(desk, "site.yml")


@mistake(
    WHO, "update.yml with a bundle that is not there", 2,
    what="there is no file", where="ngatu_agent_bundle", todo="ngatu bundle build",
)  # fmt: skip
def no_bundle(desk: Desk) -> Said:
    # The brokers, which come first, are not here.
    return on_this_machine(desk, "update.yml", "--start-at-task", "Preflight | Is the bundle there")


@mistake(
    WHO, "site.yml for a box at whose address nobody listens", 4,
    what="Connection refused", where="hai-ninh-01", todo="Make sure this host can be reached over ssh",
)  # fmt: skip
def unreachable(desk: Desk) -> Said:
    if shutil.which("ssh") is None:
        raise NotTried("ssh is not here: apt install openssh-client")
    inventory(desk, ("ansible_host: 10.20.1.11", "ansible_host: 127.0.0.9\n          ansible_port: 9"))
    return playbook(desk, "site.yml", "--check", "--limit", "hai-ninh-01")


@mistake(WHO, "revoke.yml without a name", 2, what="Say who", where="localhost", todo="-e box=hai-ninh-01")
def revoke_nobody(desk: Desk) -> Said:
    inventory(desk)
    return playbook(desk, "revoke.yml")


@mistake(
    WHO, "revoke.yml on a computer without the authority", 2,
    what="no authority is here", where="ca:", todo="--folder",
)  # fmt: skip
def revoke_elsewhere(desk: Desk) -> Said:
    inventory(desk)
    return playbook(desk, "revoke.yml", "-e", "box=hai-ninh-01")


# ---------------------------------------------------------------------------------------------------- releases


def build(desk: Desk, *words: object) -> Said:
    """A bundle with the key of the desk."""
    return desk.ngatu("bundle", "build", "--key", "release.key", *PASS, *words)


@mistake(
    WHO, "the key of releases is made a second time", 1,
    what="there is a key already", where="release.key", todo="keep it, or name another file",
)  # fmt: skip
def key_again(desk: Desk) -> Said:
    desk.keys()
    return desk.ngatu("bundle", "key", "release.key", *PASS)


@mistake(
    WHO, "a bundle is built before there is a key", 1,
    what="No such file", where="release.key", todo="ngatu bundle key",
)  # fmt: skip
def build_without_key(desk: Desk) -> Said:
    desk.file("passphrase", "of the key, long enough\n")
    return build(desk)


@mistake(
    WHO, "a bundle is built with another passphrase", 1,
    what="the passphrase is wrong", where="release.key", todo="try again",
)  # fmt: skip
def build_passphrase(desk: Desk) -> Said:
    desk.keys()
    desk.file("passphrase", "not this one, sorry\n")
    return build(desk)


@mistake(WHO, "a bundle is built outside a checkout", 1, what="missing", where=".:", todo="--source")
def build_elsewhere(desk: Desk) -> Said:
    desk.keys()
    return build(desk)


@mistake(
    WHO, "a bundle is built with a model that is not there", 1,
    what="there is no such model", where="yolo.onnx", todo="ngatu models fetch NAME",
)  # fmt: skip
def build_model(desk: Desk) -> Said:
    desk.keys()
    return build(desk, "--source", ROOT, "--model", "yolo.onnx")


@mistake(
    WHO, "a bundle is verified with the secret half of the key", 1,
    what="this is no public key", where="release.key", todo="give the .pub file",
)  # fmt: skip
def verify_secret(desk: Desk) -> Said:
    desk.keys()
    desk.file("ngatu.bundle", "<html>" * 100)
    return desk.ngatu("bundle", "verify", "ngatu.bundle", "--key", "release.key")


def tool(desk: Desk, *words: str, plain_user: bool = False) -> Said:
    """The release tool of a box, with folders of the desk."""
    places = ["--root", str(desk.folder / "opt"), "--key", str(desk.folder / "release.pub")]
    return desk.run([sys.executable, "-I", "-B", str(TOOL), *places, *words], plain_user=plain_user)


@mistake(
    WHO, "a web page is installed as a bundle", 1,
    what="a header of a file in it cannot be read", where="ngatu.bundle", todo="copy the bundle again",
)  # fmt: skip
def install_page(desk: Desk) -> Said:
    desk.keys()
    desk.file("ngatu.bundle", "<html>" * 100)
    return tool(desk, "install", "ngatu.bundle")


@mistake(
    WHO, "the release tool is called without sudo", 1,
    what="Permission denied", where="opt/lock", todo="call it as root, with sudo",
)  # fmt: skip
def tool_without_sudo(desk: Desk) -> Said:
    (desk.folder / "opt").mkdir(mode=0o500)
    return tool(desk, "confirm", plain_user=True)


@mistake(
    WHO, "a release that was never installed is switched to", 1,
    what="there is no such release", where="opt/releases/9.9.9", todo="ngatu-release install BUNDLE",
)  # fmt: skip
def switch_unknown(desk: Desk) -> Said:
    return tool(desk, "switch", "9.9.9", "--config", desk.box())


@mistake(WHO, "a slip in the release tool's verb", 2, what="invalid choice", where="'upgrade'", todo="install")
def tool_verb(desk: Desk) -> Said:
    return tool(desk, "upgrade", "ngatu.bundle")


# ------------------------------------------------------------------------------------- certificates and labels


@mistake(
    WHO, "the authority is made a second time", 1,
    what="there is an authority already", where="ca", todo="name another folder",
)  # fmt: skip
def authority_again(desk: Desk) -> Said:
    desk.keys()
    return desk.ngatu("ca", "init", *PASS)


@mistake(
    WHO, "the authority's folder is an empty word, of a variable that nobody has set", 2,
    what="it is empty, and names no folder", where="--folder", todo="for this one write .",
)  # fmt: skip
def empty_folder(desk: Desk) -> Said:
    desk.file("passphrase", "correct horse battery\n")
    return desk.ngatu("ca", "init", "--folder", "", *PASS)


@mistake(
    WHO, "the authority is looked for in another folder", 1,
    what="no authority is here", where="ca:", todo="--folder",
)  # fmt: skip
def authority_elsewhere(desk: Desk) -> Said:
    return desk.ngatu("ca", "list")


@mistake(
    WHO, "a box is revoked that never had a certificate", 1,
    what="nothing was ever signed for it", where="hai-ninh-99", todo="ngatu ca list",
)  # fmt: skip
def revoke_unknown(desk: Desk) -> Said:
    desk.keys()
    return desk.ngatu("ca", "revoke", "hai-ninh-99", *PASS)


@mistake(
    WHO, "a certificate is to be signed instead of a request", 1,
    what="this is no certificate request", where="hai-ninh-01", todo="openssl req -new",
)  # fmt: skip
def sign_certificate(desk: Desk) -> Said:
    desk.keys()
    return desk.ngatu("ca", "sign", "hai-ninh-01", "--request", "ca/ca.crt", *PASS)


@mistake(
    WHO, "a label for a commune as it is written in letters", 2,
    what="'Hải Ninh' is not", where="commune", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def label(desk: Desk) -> Said:
    return desk.ngatu("box", "label", "Hải Ninh", "hai-ninh-01")


@mistake(
    WHO, "a report before report.yml has gathered anything", 1,
    what="No such file", where="facts.json", todo="report.yml writes it",
)  # fmt: skip
def report_of_nothing(desk: Desk) -> Said:
    return desk.ngatu("box", "report", "facts.json")


@mistake(
    WHO, "a roll-out check of a box that has never been there", 1,
    what="it has never been at this broker", where="hai-ninh-77", todo="it goes back by itself",
)  # fmt: skip
def rollout_check(desk: Desk) -> Said:
    version = ["--version", "0.1.0", "--port", str(desk.parts.port), "--within", "2"]
    return desk.ngatu("box", "rollout-check", "hai-ninh", "hai-ninh-77", *version)
