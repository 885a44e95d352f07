"""agent.wire.signature"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from agent.commands.policy import Command, Refusal, read
from agent.errors import NgatuError, WireError
from agent.wire.channels import MessageKind
from agent.wire.signature import canonical, is_genuine, private_key, public_key, sign
from tests.agent.commands.test_policy import TOPICS, fields

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BODY = json.dumps(fields()).encode()


# ------------------------------------------------------------------------------------------------ one form


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_the_table_of_rfc_8785_says(bits: str, text: str) -> None:
    """Appendix B."""
    (number,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical(number).decode() == text


def test_names_are_sorted_and_texts_written_as_rfc_8785_says() -> None:
    """Sections 3.2.2 and 3.2.3."""
    literals: dict[str, Any] = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    names = {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
             "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control",
             "\u00f6": "Latin Small Letter O With Diaeresis"}  # fmt: skip

    assert canonical(literals).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert list(json.loads(canonical(names)).values()) == [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
        "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53)])
def test_a_number_that_is_not_the_same_to_everyone_is_refused(value: float) -> None:
    with pytest.raises(WireError) as caught:
        canonical({"n": [value]})
    assert str(caught.value) in (
        "a number that JSON does not have",
        "a whole number of 54 bits\n  hint: at most 53 bits",
    )


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53 - 1)])
def test_the_largest_number_that_is_the_same_to_everyone_is_taken(value: int) -> None:
    assert canonical(value) == str(value).encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back_as_itself(value: float) -> None:
    assert float(json.loads(canonical(value))) == value


# ------------------------------------------------------------------------------------------------ signatures


def test_what_the_station_signed_is_genuine_in_any_spelling_of_the_same_json() -> None:
    signed = sign(BODY, "hai-ninh-03", "ping", KEY)
    respelt = json.dumps(dict(reversed(json.loads(signed).items())), indent=3).encode()

    assert is_genuine(signed, "hai-ninh-03", "ping", KEY.public_key())
    assert is_genuine(respelt, "hai-ninh-03", "ping", KEY.public_key())


def changed(**more: Any) -> bytes:
    return json.dumps(json.loads(sign(BODY, "hai-ninh-03", "ping", KEY)) | more).encode()


def named(value: object) -> str:
    """Of a case: keys and signatures are others in each process, and its name must not be."""
    return value if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize(
    ("body", "device", "verb"),
    [
        (changed(), "hai-ninh-04", "ping"),
        (changed(), "hai-ninh-03", "restart"),
        (changed(expires_at="2027-01-01T00:00:00Z"), "hai-ninh-03", "ping"),
        (changed(more=1), "hai-ninh-03", "ping"),
        (changed(signature="AAAA"), "hai-ninh-03", "ping"),
        (changed(signature=None), "hai-ninh-03", "ping"),
        (changed(signature=7), "hai-ninh-03", "ping"),
        (sign(BODY, "hai-ninh-03", "ping", Ed25519PrivateKey.generate()), "hai-ninh-03", "ping"),
        (changed()[:-1] + b',"id":"other"}', "hai-ninh-03", "ping"),
        (b'{"id":"other",' + changed()[1:], "hai-ninh-03", "ping"),  # a reader may believe the first
        (b"[]", "hai-ninh-03", "ping"),
        (b"\xff", "hai-ninh-03", "ping"),
        (b'{"signature":"AA==","n":1e999}', "hai-ninh-03", "ping"),
    ],
    ids=named,
)
def test_whatever_else_is_not(body: bytes, device: str, verb: str) -> None:
    assert not is_genuine(body, device, verb, KEY.public_key())


@given(st.binary(max_size=60), st.integers(0, 10_000))
def test_any_change_of_a_byte_is_noticed(noise: bytes, at: int) -> None:
    signed = sign(BODY, "hai-ninh-03", "ping", KEY)
    at %= len(signed)
    spoilt = signed[:at] + noise + signed[at + 1 :]
    try:
        same = json.loads(spoilt) == json.loads(signed)
    except ValueError:
        same = False

    assert is_genuine(spoilt, "hai-ninh-03", "ping", KEY.public_key()) == same


def test_with_a_key_only_what_is_signed_is_an_order() -> None:
    topic = TOPICS.of(MessageKind.COMMAND, verb="ping")
    unsigned = read(topic, BODY, False, TOPICS, KEY.public_key())
    foreign = read(topic, sign(BODY, TOPICS.device, "restart", KEY), False, TOPICS, KEY.public_key())
    genuine = read(topic, sign(BODY, TOPICS.device, "ping", KEY), False, TOPICS, KEY.public_key())

    assert isinstance(unsigned, Refusal) and unsigned.why.startswith("unsigned")
    assert isinstance(foreign, Refusal) and foreign.why == "the signature is not the station's"
    assert isinstance(genuine, Command)


# ------------------------------------------------------------------------------------------------ keys


def pem(key: Any) -> tuple[bytes, bytes]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def test_keys_are_read_from_files(tmp_path: Path) -> None:
    for name, data in zip(("key", "pub"), pem(KEY), strict=True):
        (tmp_path / name).write_bytes(data)
    signed = sign(BODY, "hai-ninh-03", "ping", private_key(tmp_path / "key"))

    assert is_genuine(signed, "hai-ninh-03", "ping", public_key(tmp_path / "pub"))


@pytest.mark.parametrize("data", [None, b"", b"no key", *pem(X25519PrivateKey.generate())], ids=named)
def test_a_file_that_is_no_such_key_is_told_by_its_name_and_without_its_content(
    tmp_path: Path, data: bytes | None
) -> None:
    path = tmp_path / "key"
    if data is not None:
        path.write_bytes(data)
    for load in (private_key, public_key):
        with pytest.raises(NgatuError) as caught:
            load(path)
        assert caught.value.what.startswith(f"{path}: ")
        assert caught.value.hint.startswith("openssl genpkey ")
        assert data is None or data == b"" or data.decode() not in str(caught.value)


def test_what_is_wrong_with_a_key_is_told(tmp_path: Path) -> None:
    other = pem(X25519PrivateKey.generate())
    (tmp_path / "key").write_bytes(other[0])
    (tmp_path / "pub").write_bytes(other[1])
    for load, name, kind in ((private_key, "key", "private"), (public_key, "pub", "public")):
        with pytest.raises(NgatuError) as caught:
            load(tmp_path / name)
        assert caught.value.what == f"{tmp_path / name}: is no Ed25519 key"
        with pytest.raises(NgatuError) as caught:
            load(tmp_path / "none")
        assert caught.value.what == (
            f"{tmp_path / 'none'}: cannot be read as a {kind} key: No such file or directory"
        )


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_public_key_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(NgatuError, match="is no file"):
        public_key(path)
