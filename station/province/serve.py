"""The console of the province as a program of its own: it needs neither the workers nor a broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent import log as lines
from agent.stop_signals import StopSignals
from agent.translatable import tr
from station.access.accounts import Accounts
from station.access.audit_log import AuditLog
from station.province.desk import prepare, writing
from station.province.settings import ProvinceConfig
from station.store.database import StoreError, url_of
from station.web.process import ScreenProcess


def serve(
    config: ProvinceConfig, on_screen: Callable[[str, str | None], None], for_s: float | None = None
) -> None:
    """Serve the console until a signal says stop; where nobody has an account yet, the first is made.

    Raises:
        StoreError: the database or the folder cannot be used.
    """
    assert config.web is not None
    lines.configure(config.log.level, config.log.format)
    ends = threading.Event()
    StopSignals(ends.set)
    with accounts_of(config) as accounts:
        password = accounts.first_administrator()
    on_screen(config.web.address, password)
    with closing(ScreenProcess(config.desk(), dict)) as screen:
        screen.start()
        ends.wait(for_s)


@contextmanager
def accounts_of(config: ProvinceConfig) -> Iterator[Accounts]:
    """The console's accounts; what it needs in the database is made, if it is not there.

    Raises:
        StoreError: the database or the folder cannot be used.
    """
    try:
        config.state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            tr("{path}: {reason}", path=config.state_dir, reason=error.strerror or type(error).__name__),
            tr("make state_dir writable by the console's user"),
        ) from None
    url = url_of(config.database, Path())
    prepare(url)
    engine = writing(url)
    try:
        yield Accounts(engine, AuditLog(engine, config.state_dir))
    finally:
        engine.dispose()
