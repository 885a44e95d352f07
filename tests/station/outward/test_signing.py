"""station.outward.signing"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.outward.signing import SecretRefused, headers, key_of, new_secret, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_it_is_the_signature_of_the_specifications_own_example() -> None:
    """The vector that the libraries of Standard Webhooks are tested with."""
    said = signature(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')

    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(), at_s=st.integers(0, 2**40), message_id=st.text("abc.-0123", min_size=1))
def test_whoever_has_the_secret_finds_the_same(body: bytes, at_s: int, message_id: str) -> None:
    secret = new_secret()
    sent = headers(key_of(secret), message_id, at_s, body)

    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert sent["webhook-signature"] == f"v1,{expected}"
    assert signature(key, message_id, at_s + 1, body) != sent["webhook-signature"]


@pytest.mark.parametrize(
    "text",
    [
        "", "whsec_", "secret", SECRET.removeprefix("whsec_"), "whsec_AAAA", "whsec_not base64 at all!!!!!!!",
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_refused_with_a_way_to_make_one(text: str) -> None:
    with pytest.raises(SecretRefused, match="openssl rand"):
        key_of(text)


def test_a_new_secret_is_another_one_each_time() -> None:
    assert len(key_of(new_secret())) == 32
    assert new_secret() != new_secret()
