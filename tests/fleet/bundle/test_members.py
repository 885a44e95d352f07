"""fleet.bundle.members: plain files of a plain tar, one after the other, and nothing else"""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.bundle.members import Damaged, Members


def tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    members, found = Members(io.BytesIO(data)), {}
    while (member := members.next()) is not None:
        found[member[0]] = b"".join(members.pieces())
        assert len(found[member[0]]) == member[1]
    return found


NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z0-9._-]{1,20}){0,3}", fullmatch=True).filter(
    lambda name: len(name) < 90
)


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=5))
def test_what_was_packed_is_what_is_read(files: dict[str, bytes]) -> None:
    assert read(tar(files)) == files


@given(st.binary(max_size=4000))
def test_whatever_it_is_there_is_no_other_exception(data: bytes) -> None:
    try:
        read(data)
    except Damaged as why:
        assert "\n" not in str(why)


@given(st.dictionaries(NAMES, st.binary(max_size=2000), min_size=1, max_size=3), st.data())
def test_a_bundle_that_was_cut_is_never_whole(files: dict[str, bytes], data: st.DataObject) -> None:
    whole = tar(files)
    end = sum(512 + len(each) + -len(each) % 512 for each in files.values())
    with pytest.raises(Damaged):
        read(whole[: data.draw(st.integers(0, end - 1))])


def test_a_name_that_could_steer_a_terminal_is_no_plain_file() -> None:
    with pytest.raises(Damaged, match=r"'a\\x1b\[2Jb' is no plain file"):
        read(tar({"a\x1b[2Jb": b""}))


def test_what_is_left_of_a_member_is_passed_over() -> None:
    members = Members(io.BytesIO(tar({"one": b"1" * 3000, "two": b"2"})))
    members.next()

    assert members.next() == ("two", 1)
