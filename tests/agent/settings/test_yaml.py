"""agent.settings.yaml"""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import yaml as strict_yaml
from agent.settings.yaml import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Node, UnreadableYaml, read


@pytest.fixture(params=["libyaml", "PyYAML"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every rule holds with either parser: a board without libyaml's wheel has only the second."""
    if request.param == "PyYAML":
        monkeypatch.setattr(strict_yaml, "PARSER", yaml.SafeLoader)
    return str(request.param)


def plain(text: str) -> object:
    root, faults = read(text.encode())
    assert faults == []
    return root.plain()


def faults_of(text: str | bytes) -> list[tuple[int, str]]:
    """(line, what) of everything that is refused."""
    data = text.encode() if isinstance(text, str) else text
    try:
        _, faults = read(data)
    except UnreadableYaml as error:
        faults = list(error.faults)
    return [(fault.line, fault.what) for fault in faults]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("True", True), ("FALSE", False),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("N", "N"),
        ("12:30", "12:30"), ("22:30", "22:30"), ("06:30", "06:30"), ("1:30:00", "1:30:00"),
        ("+07:00", "+07:00"),
        ("2026-03-02", "2026-03-02"), ("2026-03-02T11:04:07Z", "2026-03-02T11:04:07Z"),
        ("1_000", "1_000"), ("0b11", "0b11"), ("0o17", 15), ("0x1F", 31),
        ("0", 0), ("-7", -7), ("+7", 7),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-0.0", -0.0),
        ("null", None), ("~", None), ("", None), ("nothing", "nothing"), ("=", "="), ("<<", "<<"),
        ("'true'", "true"), ('"12"', "12"), ("'0123'", "0123"), ('".nan"', ".nan"),
    ],
)  # fmt: skip
def test_a_value_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    assert plain(f"a: {written}") == {"a": meant}
    assert type(plain(f"a: {written}")["a"]) is type(meant)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb: 2\na: 3", 3, "set twice; first in line 1"),
        ("a: {b: 1, b: 2}", 1, "set twice"),
        ("a: &x 1", 1, "anchors (&x)"),
        ("a: 1\nb: *x", 2, "aliases (*x)"),
        ("a: !!str 1", 1, "tags (tag:yaml.org,2002:str)"),
        ("a: !!python/object/apply:os.system [ls]", 1, "tags"),
        ("a: ! 1", 1, "tags"),
        ("1: a", 1, "a key must be a text, not 1"),
        ("true: a", 1, "a key must be a text, not true"),
        ("? \n: a", 1, "a key must be a text, not empty"),
        ("[a, b]: c", 1, "a key must be a text, not a list or mapping"),
        ("{a: b}: c", 1, "a key must be a text, not a list or mapping"),
        ("a: 012", 1, "leading zero"),
        ("a: -012", 1, "leading zero"),
        ("a: 1234567890123456789", 1, "19 digits"),
        ("a: " + "9" * 5000, 1, "5000 digits"),
        ("a: 0x" + "f" * 19, 1, "digits"),
        ("a: .inf", 1, "no finite number"),
        ("a: -.INF", 1, "no finite number"),
        ("a: .nan", 1, "no finite number"),
        ("a: 1e999", 1, "no finite number"),
        ("%YAML 1.1\n---\na: 1", 1, "directives"),
        ("%TAG ! tag:x,2000:\n---\na: 1", 1, "directives"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a:\n\tb: 1", 2, "a tab indents this line"),
        ("a: b: c", 1, "a ': ' stands in the value"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: 'b", 1, "not YAML"),
        (b"a: caf\xe9", 1, "byte 0xe9 is not UTF-8"),
        (b"x: 1\na: \xff", 2, "byte 0xff is not UTF-8"),
        ("a: 1\nb: \x07", 2, "unprintable character U+0007"),
        ('a: "\\0"', 1, "unprintable character U+0000"),
        ('"\\e": 1', 1, "unprintable character U+001B"),
        ("a: \x00", 1, "unprintable character U+0000"),
    ],
)  # fmt: skip
def test_what_could_surprise_is_refused_with_its_line(text: str | bytes, line: int, part: str) -> None:
    found = faults_of(text)

    assert len(found) == 1
    assert part in found[0][1]
    assert found[0][0] in (line, line + 1)  # an open bracket is noticed where the file ends


def test_every_fault_is_told_at_once_and_the_first_of_two_values_stays() -> None:
    root, faults = read(b"a: 1\nb: &x no\nc: *x\na: 2\nd: 007\n3: 4\n")

    assert [fault.line for fault in faults] == [2, 3, 4, 5, 6]
    assert root.plain() == {"a": 1, "b": "no", "c": None, "d": 7, "3": 4}


def test_faults_before_a_syntax_error_are_told_with_it() -> None:
    twice, syntax = faults_of("a: 1\na: 2\nb: 'x\n")
    assert "set twice" in twice[1]
    assert "not YAML" in syntax[1]


def test_a_node_remembers_the_line_of_its_key() -> None:
    root, _ = read(b"# head\na:\n  b:\n    - 1\n    -\n      c: |\n        text\n        more\n")

    assert isinstance(root.value, dict)
    a = root.value["a"]
    assert isinstance(a.value, dict)
    b = a.value["b"]
    assert isinstance(b.value, list)
    second = b.value[1]
    assert isinstance(second.value, dict)
    assert (a.line, b.line, b.value[0].line, second.line, second.value["c"].line) == (2, 3, 4, 6, 6)


def test_twenty_levels_are_read_and_one_more_is_refused() -> None:
    assert plain("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert "deeper than 20" in faults_of("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))[0][1]


def test_block_lists_without_indentation_count_as_levels_too() -> None:
    text = "".join("  " * n + f"k{n}:\n" + "  " * n + "-\n" for n in range(MAX_DEPTH))
    assert "deeper than 20" in faults_of(text)[0][1]


@pytest.mark.parametrize("char", ["[", "{", "- ", "? ", "a: {", "!!", "&a ", "- - "])
def test_twenty_thousand_brackets_are_refused_at_once(char: str) -> None:
    began = time.perf_counter()
    found = faults_of(char * 20_000)
    assert found
    assert time.perf_counter() - began < 1.0  # the time limit of a config is 0.2 s, on a quiet machine


def test_a_file_that_is_too_large_or_has_too_many_values_is_refused() -> None:
    assert "too large" in faults_of(b"#" * (MAX_BYTES + 1))[0][1]
    assert faults_of(b"#" * MAX_BYTES) == []
    assert "too many" in faults_of("[" + "1," * (MAX_VALUES + 1) + "]")[0][1]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")[0].plain() == {"a": 1, "b": 2}


def test_half_a_character_is_refused_by_either_parser() -> None:
    assert faults_of(r'a: "\ud800"')


def hints_of(text: str) -> list[str]:
    try:
        _, faults = read(text.encode())
    except UnreadableYaml as error:
        faults = list(error.faults)
    return [fault.hint for fault in faults]


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a:\n  b: 1\n\tc: 2", "a: 1\n\tb: 2"])
def test_a_tab_is_told_as_one(text: str) -> None:
    (hint,) = hints_of(text)
    assert "never tabs" in hint


def test_a_comma_in_a_number_is_told_once_and_what_follows_it_is_read() -> None:
    root, (fault,) = read(b"place: {latitude: 20,9462, longitude: 106.3}")

    assert (fault.path, fault.what) == (("place", "latitude"), "20,9462 has a comma")
    assert fault.hint == "write 20.9462, with a point"
    assert root.plain() == {"place": {"latitude": 20, "longitude": 106.3}}


@pytest.mark.parametrize("text", ["{a: x, 5: 1}", "{5: 1}", "a: 1\n5: 2", "{a: true, 5}"])
def test_a_number_as_a_key_is_no_comma_otherwise(text: str) -> None:
    ((_, what),) = faults_of(text)
    assert what == "a key must be a text, not 5"


def test_an_empty_file_is_null() -> None:
    assert read(b"")[0] == Node(None, 1)
    assert read(b"# only a comment\n")[0].plain() is None


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_json_can_say_is_read_back_the_same(value: object) -> None:
    root, faults = read(json.dumps(value, ensure_ascii=False).encode())
    assert (root.plain(), faults) == (value, [])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_document_or_a_fault(data: bytes) -> None:
    assert all(line >= 1 for line, _ in faults_of(data))


@given(st.text("[]{}:,-?&*!|>'\"%@` \n\tab1#~.", max_size=60))
def test_any_punctuation_gives_a_document_or_a_fault(text: str) -> None:
    assert all(line >= 1 for line, _ in faults_of(text))


def test_thousands_of_values_in_one_line_are_read_at_once() -> None:
    text = "a: [" + ", ".join("x" * 20 for _ in range(9_000)) + "]"
    began_s = time.perf_counter()
    read(text.encode())
    assert time.perf_counter() - began_s < 2
