"""agent.settings.base"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from agent.settings.base import MAX_SECRET_BYTES, Name, Secret, SecretMissing, Settings, host_fault

CANARY = "pa55-w0rd-canary"


class Lamp(Settings):
    """For these tests."""

    watts: float = Field(5.0, ge=0, description="Power.")
    password: Secret | None = Field(None, description="Where it lies.")


def test_settings_are_frozen_and_refuse_unknown_keys() -> None:
    lamp = Lamp()
    with pytest.raises(ValidationError):
        lamp.watts = 3.0
    with pytest.raises(ValidationError):
        Lamp.model_validate({"wats": 3})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_is_finite(value: float) -> None:
    with pytest.raises(ValidationError):
        Lamp(watts=value)


def test_a_validation_error_never_shows_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        Lamp.model_validate({"password": CANARY, "wats": CANARY})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"env": "A", "file": "/a"}, {"env": None, "file": None}])
def test_a_secret_lies_in_exactly_one_place(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="one of them and not both"):
        Secret.model_validate(given)


@pytest.mark.parametrize("name", ["", "A B", "1A", "a=b", "$A", "-"])
def test_an_environment_variable_has_a_proper_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Secret(env=name)


def test_a_secret_is_read_from_the_environment_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret(env="NGATU_TEST_SECRET")
    monkeypatch.setenv("NGATU_TEST_SECRET", CANARY)
    assert secret.read() == CANARY
    monkeypatch.setenv("NGATU_TEST_SECRET", "another")
    assert secret.read() == "another"


@pytest.mark.parametrize("content", [f"{CANARY}\n", CANARY, f"{CANARY}\r\nmore\n", f"\ufeff{CANARY}\n"])
def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content.encode())
    assert Secret(file=path).read() == CANARY


def test_a_secret_that_is_not_set_says_where_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NGATU_TEST_SECRET", raising=False)
    with pytest.raises(SecretMissing) as caught:
        Secret(env="NGATU_TEST_SECRET").read()
    assert str(caught.value) == "environment variable NGATU_TEST_SECRET is not set or empty"


@pytest.mark.parametrize("content", [b"", b"\n", b"\n" + CANARY.encode(), b"\xff\xfe" + CANARY.encode()])
def test_a_file_without_a_secret_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SecretMissing) as caught:
        Secret(file=path).read()
    assert str(path) in str(caught.value)
    assert CANARY not in str(caught.value) + repr(caught.value.__cause__) + repr(caught.value.args)


def test_a_huge_file_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    with pytest.raises(SecretMissing, match="larger than"):
        Secret(file=path).read()


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Secret(file=tmp_path / "nowhere").read()


def test_no_text_form_of_a_secret_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGATU_TEST_SECRET", CANARY)
    secret = Secret(env="NGATU_TEST_SECRET")
    secret.read()
    forms = [repr(secret), str(secret), secret.model_dump_json(), repr(Lamp(password=secret)), secret.place]
    assert not any(CANARY in form for form in forms)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("hai-ninh-03", True), ("ab", True), ("a", False), ("A-b-c", False), ("a+b", False), ("x" * 33, False)],
)
def test_a_name_may_stand_in_a_topic(name: str, is_one: bool) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Name)
    if is_one:
        assert adapter.validate_python(name) == name
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(name)


def test_a_secret_in_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SecretMissing, match="is no file"):
        Secret(file=tmp_path / "pipe").read()


@pytest.mark.parametrize(
    "host",
    ["localhost", "::1", "fe80::1%eth0", "192.168.10.5", "station.hai-ninh.example", "ngã-tư.vn", "a_b"],
)
def test_a_name_or_an_address_of_a_machine_has_no_fault(host: str) -> None:
    assert host_fault(host) == ""


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("192.168.10.999", "is no address: that is four numbers of 0..255"),
        ("192.168.10", "is no address"),
        ("192.168.010.5", "is no address"),
        ("192,168.10.5", "is no address"),
        ("10.0.0.5:1883", "has a port"),
        ("mqtt://10.0.0.5", "is more than a host"),
        ("my broker", "cannot be a host name"),
        ("“a”", "cannot be a host name"),
        ("a..b", "cannot be a host name"),
        ("", "cannot be a host name"),
    ],
)
def test_what_is_neither_is_told_with_what_was_given(host: str, what: str) -> None:
    assert host_fault(host).startswith(f'"{host}" {what}')
