"""People at the console of a station: accounts with cheap passwords, and a clock that tests turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from station.access.accounts import Accounts
from station.access.audit_entry import Actor
from station.access.audit_log import AuditLog
from station.access.log_in import LogIn
from station.access.passwords import HashCost, Passwords
from station.access.roles import Role
from station.access.sessions import Sessions
from station.store.database import engine_of, upgrade
from tests.support.stores import Place

CHEAP = HashCost(passes=1, memory_kib=8, lanes=1)
QUAN = Actor("quan.tri", "Lê Quân", Role.ADMINISTRATOR, "10.0.0.9")
LAN = Actor("lan", "Nguyễn Thị Lan", Role.OFFICER, "10.0.0.7")
GOOD = "ba con mèo ngồi hiên"
"""A password that may be one."""


@dataclass
class Clock:
    """What time it is, as a test says."""

    at_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at_s

    @property
    def ms(self) -> int:
        return round(self.at_s * 1000)


@dataclass
class People:
    """Everything that lets people in, over one store."""

    place: Place
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.engine = self.more_engines()
        upgrade(self.engine)
        self.passwords = Passwords(CHEAP)
        self.audit = AuditLog(self.engine, self.place.folder, now=self.clock)
        self.accounts = Accounts(self.engine, self.audit, passwords=self.passwords, now=self.clock)
        self.sessions = Sessions(self.engine, 1800.0, 36_000.0, 3, now=self.clock)
        self.door = self.new_door()

    def more_engines(self) -> Engine:
        """As another process has one."""
        engine = engine_of(self.place.url)
        self.place.engines.append(engine)
        return engine

    def more_accounts(self) -> Accounts:
        """As another process has them."""
        engine = self.more_engines()
        return Accounts(engine, AuditLog(engine, self.place.folder), passwords=self.passwords)

    def new_door(self) -> LogIn:
        """As after a new start of the console."""
        return LogIn(self.engine, self.sessions, self.audit, passwords=self.passwords, now=self.clock)

    def somebody(self, login: str = "lan", role: Role = Role.OFFICER, password: str = GOOD) -> str:
        """An account whose password is its own; gives it back."""
        _, given = self.accounts.create(login, f"Cán bộ {login}", role)
        self.accounts.change_own(login, given, password)
        self.clock.at_s += 1
        return password
