"""agent.settings.quoting"""

from __future__ import annotations

from agent.settings.quoting import dotted, most_similar, nearest, quoted, redacted


def test_redaction_is_quick_on_a_text_full_of_addresses() -> None:
    assert redacted("a://" * 100_000) == "a://" * 100_000
    assert redacted("x rtsp://u:p@h/1 y http://q@z") == "x rtsp://…@h/1 y http://…@z"


def test_a_value_is_quoted_so_that_no_terminal_obeys_it() -> None:
    assert quoted(None) == "null"
    assert quoted("a\x1b[31m") == r'"a\u001b[31m"'
    assert quoted("hunter2", ("broker", "password")) == "what is written here"


def test_a_path_is_written_as_people_write_it() -> None:
    assert dotted(("cameras", 0, "motion", "threshold")) == "cameras[0].motion.threshold"
    assert dotted(("a\nb",)) == "a\\x0ab"


def test_the_nearest_name_is_offered_and_no_strange_one() -> None:
    assert nearest("treshold", ["threshold", "enabled"]) == "did you mean threshold?"
    assert nearest("zebra", ["threshold", "enabled"]) == ""


def test_the_setting_that_a_misspelling_is_of_is_found_and_for_a_long_name_none_is_looked_for() -> None:
    assert most_similar("zone", ["zones", "rules"]) == "zones"
    assert most_similar("where", ["zones", "rules"]) == most_similar("z" * 41, ["z" * 42]) == ""
