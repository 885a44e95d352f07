"""station.outward.webhooks"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from station.outward.progress import HookBook
from station.outward.settings import WebhookSettings
from station.outward.signing import new_secret
from station.outward.webhooks import Webhooks
from station.store.store import Store
from tests.support.brokers import free_port, until
from tests.support.hook_receiver import HookReceiver
from tests.support.kept_events import event_now


def delivered(engine: Engine) -> dict[str, int]:
    return {each.name: each.delivered for each in HookBook(engine).every()}


def test_one_that_is_away_or_dawdles_delays_no_other(
    store: Store, engines: tuple[Engine, Engine], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(new_secret())
    with HookReceiver() as there, HookReceiver(drip_s=0.2) as slow:
        away = f"http://127.0.0.1:{free_port()}/"
        urls = {"away": away, "slow": slow.url, "there": there.url}
        settings = [
            WebhookSettings(name=name, url=url, secret={"file": secret}, timeout_s=30)
            for name, url in urls.items()
        ]
        hooks = Webhooks(settings, engines, "https://duty.example/")
        hooks.start()
        until(lambda: len(HookBook(engines[0]).every()) == 3)
        store.commit([event_now(number) for number in range(1, 50)])
        until(lambda: len(there.taken) == 49, 10)
        until(lambda: delivered(engines[0])["there"] == 49, 10)
        hooks.close()

    assert [call.id for call in slow.calls] == ["north-01.e-1.1"]
    by_name = delivered(engines[0])
    assert by_name == {"away": 0, "slow": 0, "there": 49}
