"""fleet.report.storage"""

from __future__ import annotations

import subprocess

import pytest
import yaml

from fleet.report.storage import storage
from tests.conftest import ROOT

DISKS = """\
/ 31268536320 21474836480
/var/lib/ngatu 1000000 20000
/sys/fs/ext4/mmcblk0p2/lifetime_write_kbytes 1000
/sys/fs/ext4/sda1/lifetime_write_kbytes 500
/sys/fs/ext4/mmcblk0p2/errors_count 2
/sys/block/mmcblk0/device/life_time 0x02 0x0b
"""


def test_the_fullest_file_system_counts_and_writing_and_errors_are_summed() -> None:
    disks = storage(DISKS)

    assert disks is not None
    assert (disks.size_bytes, disks.free_bytes) == (1_000_000, 20_000)
    assert (disks.written_bytes, disks.errors, disks.worn_pct) == (1_536_000, 2, 110)


@pytest.mark.parametrize(
    "text",
    ["", "df: no such file", "/ 0 0\n", "/sys/block/x/device/life_time rubbish\n", "one two three four\n"],
)
def test_lines_that_nobody_knows_are_no_facts(text: str) -> None:
    assert storage(text) is None


def test_an_sd_card_does_not_tell_how_worn_it_is() -> None:
    disks = storage("/ 100 50\n/sys/block/mmcblk0/device/life_time 0x00 0x00\n")

    assert disks is not None and disks.worn_pct is None


def test_this_machine_can_be_asked_as_report_yml_asks() -> None:
    plays = yaml.safe_load((ROOT / "deploy/ansible/report.yml").read_text())
    script = plays[1]["vars"]["ngatu_report_disks"]
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    disks = storage(done.stdout)

    assert disks is not None and disks.size_bytes and disks.free_bytes
