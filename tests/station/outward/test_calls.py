"""station.outward.calls"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.outward.calls import CallFailed, HookCaller, HookGone, judge_address
from station.outward.settings import WebhookSettings
from tests.support.brokers import free_port
from tests.support.hook_receiver import HookReceiver, TakenCall


def hook(url: str, **more: Any) -> WebhookSettings:
    return WebhookSettings(name="dispatch", url=url, secret={"env": "X"}, **more)


def test_calls_go_over_one_connection_with_body_and_headers() -> None:
    with HookReceiver() as there:
        caller = HookCaller(hook(there.url))
        caller.call(b"{}", {"webhook-id": "one"})
        caller.call(b"[]", {"webhook-id": "two"})
        caller.close()

    assert [(call.path, call.body, call.id) for call in there.taken] == [
        ("/hook?x=1", b"{}", "one"), ("/hook?x=1", b"[]", "two"),
    ]  # fmt: skip
    assert there.connections == 1


def test_a_connection_that_ended_meanwhile_is_no_failure() -> None:
    with HookReceiver() as there:
        caller = HookCaller(hook(there.url))
        caller.call(b"{}", {"webhook-id": "one"})
    with HookReceiver(port=there.port) as again:
        caller.call(b"{}", {"webhook-id": "two"})
        caller.close()

    assert again.ids == ["two"]


def test_a_call_that_is_interrupted_on_a_kept_connection_is_not_made_again() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly(call: TakenCall) -> int:
        if call.id == "two":
            asked.set()
            go_on.wait(10)
        return 204

    with HookReceiver(status=slowly) as there:
        caller = HookCaller(hook(there.url))
        caller.call(b"{}", {"webhook-id": "one"})

        def interrupt() -> None:
            asked.wait(10)
            caller.interrupt()

        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(CallFailed):
            caller.call(b"{}", {"webhook-id": "two"})
        go_on.set()
        other.join()
        caller.close()

    assert [call.id for call in there.calls] == ["one", "two"]
    assert there.connections == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_whatever_is_no_2xx_is_a_failure_and_no_redirect_is_followed(status: int) -> None:
    with HookReceiver(status=lambda _call: status) as there:
        caller = HookCaller(hook(there.url))
        with pytest.raises(CallFailed, match=f"it answered {status}"):
            caller.call(b"{}", {})
        caller.close()

    assert [call.path for call in there.calls] == ["/hook?x=1"]


def test_who_says_gone_is_gone() -> None:
    with HookReceiver(status=lambda _call: 410) as there:
        caller = HookCaller(hook(there.url))
        with pytest.raises(HookGone):
            caller.call(b"{}", {})
        caller.close()


def test_who_drips_is_cut_off_in_time() -> None:
    with HookReceiver(drip_s=0.2) as there:
        began_s = time.monotonic()
        with pytest.raises(CallFailed, match="did not answer in time"):
            HookCaller(hook(there.url, timeout_s=1)).call(b"{}", {})

    assert time.monotonic() - began_s < 5


def test_who_is_not_there_fails_in_words() -> None:
    with pytest.raises(CallFailed, match=r"127\.0\.0\.1: .*refused"):
        HookCaller(hook(f"http://127.0.0.1:{free_port()}/")).call(b"{}", {})


def test_a_name_that_leads_inside_is_not_called_whatever_it_is_called() -> None:
    for inside in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0"):
        caller = HookCaller(hook("https://public.example/"), find=lambda _host, _port, at=inside: [at])
        with pytest.raises(CallFailed, match="which is not public"):
            caller.call(b"{}", {})


def test_what_is_asked_for_is_what_is_called() -> None:
    """The address that was judged is the one that is called: no second look at the name."""
    asked: list[str] = []

    with HookReceiver() as there:

        def find(host: str, _port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"]

        settings = hook(f"http://localhost:{there.port}/", networks=())
        caller = HookCaller(settings, find)
        caller.call(b"{}", {"webhook-id": "one"})
        caller.close()

    assert asked == ["localhost"]
    assert there.ids == ["one"]


@pytest.mark.parametrize(
    ("url", "networks", "address", "may"),
    [
        ("https://public.example/", (), "1.1.1.1", True),
        ("https://public.example/", (), "2606:4700::1111", True),
        ("https://public.example/", (), "224.0.0.1", False),
        ("https://inside.example/", ("10.0.0.0/8",), "10.1.2.3", True),
        ("https://inside.example/", ("10.0.0.0/8",), "192.168.0.1", False),
        ("https://10.1.2.3/", (), "10.1.2.3", True),
        ("https://10.1.2.3/", (), "10.1.2.4", False),
        ("http://localhost:1/", (), "127.0.0.1", True),
        ("http://localhost:1/", (), "10.1.2.3", False),
    ],
)
def test_an_address_is_public_or_named(url: str, networks: tuple[str, ...], address: str, may: bool) -> None:
    assert judge_address(hook(url, networks=networks), address) is may


@given(st.ip_addresses())
def test_without_a_word_only_public_addresses_are_called(address: Any) -> None:
    assert judge_address(hook("https://public.example/"), str(address)) <= address.is_global
