#!/usr/bin/python3 -IB
"""ngatu-names: lets the box ask the servers of names that its network has told it, and no others. Needs nft.

Invariants
1. The servers that were known last are kept in a file, which the box's rules include: a start without a
   network, and rules that are read anew, have them.
2. A network that names no server for a moment, as while an address is renewed, changes nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
"""Behind systemd-resolved's own address, which stands in the second, are those of the first."""


def words() -> argparse.ArgumentParser:
    """What can be asked."""
    asked = argparse.ArgumentParser(prog="ngatu-names", description=__doc__.splitlines()[0])
    asked.add_argument("--resolvers", type=Path, nargs="+", default=RESOLVERS, help="files of a resolver")
    asked.add_argument("--kept", type=Path, default=Path("/etc/ngatu/firewall/names.conf"))
    return asked


def main(asked: argparse.Namespace) -> str:
    """Do it; what to print."""
    servers = sorted({each for path in asked.resolvers for each in named(path)}, key=str)
    before = asked.kept.read_text() if asked.kept.exists() else ""
    rules = written(servers) if servers else before
    if rules != before:
        fresh = asked.kept.with_name(f".{asked.kept.name}.new")
        fresh.write_text(rules)
        fresh.chmod(0o644)
        fresh.replace(asked.kept)
    if rules and nft("list", "set", "inet", "ngatu_box", "names4").returncode == 0:
        done = nft("-f", str(asked.kept))
        if done.returncode:
            sys.exit(f"ngatu-names: nft does not take {asked.kept}: {done.stderr.strip()}")
    return json.dumps({"changed": rules != before, "servers": [str(each) for each in servers]})


def named(path: Path) -> list[IPv4Address | IPv6Address]:
    """The servers in a resolv.conf that are on another host."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        what, *more = line.split() or [""]
        if what == "nameserver" and more:
            try:
                found.append(ip_address(more[0].partition("%")[0]))
            except ValueError:
                continue
    return [each for each in found if not each.is_loopback]


def written(servers: list[IPv4Address | IPv6Address]) -> str:
    """As nft reads it."""
    lines = []
    for version, name in ((4, "names4"), (6, "names6")):
        lines.append(f"flush set inet ngatu_box {name}")
        if these := [str(each) for each in servers if each.version == version]:
            lines.append(f"add element inet ngatu_box {name} {{ {', '.join(these)} }}")
    return "\n".join(lines) + "\n"


def nft(*asked: str) -> subprocess.CompletedProcess[str]:
    """Ask it."""
    return subprocess.run(["/usr/sbin/nft", *asked], capture_output=True, text=True, check=False, timeout=30)


if __name__ == "__main__":
    try:
        print(main(words().parse_args()))
    except OSError as error:
        sys.exit(f"ngatu-names: {error.filename or ''}: {error.strerror or error}")
