"""models.label.words"""

from __future__ import annotations

import re
from pathlib import Path

import models.label
from models.label.words import WORDS, in_language, label_words

PAGE = Path(models.label.__file__).with_name("page")


def test_the_page_asks_for_no_word_that_is_not_there_and_for_each_that_is() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(PAGE.iterdir()))
    asked = set(re.findall(r'data-(?:word|name)="(\w+)"', text)) | set(re.findall(r'word\("(\w+)"\)', text))
    keys = text.partition("const KEYS = [")[2].partition("];")[0]
    asked |= set(re.findall(r'hint\("(\w+)"\)', text)) | set(re.findall(r', "(\w+)"\]', keys))
    asked |= {f"state_{each}" for each in ("open", "begun", "done", "empty", "unsure", "fault")}
    asked |= {"saved", "saving", "undo", "redo", "done", "left"}

    assert asked - set(WORDS) - {"undo_redo"} == set()
    assert set(WORDS) - asked == set()


def test_labels_are_shown_in_the_reader_s_language_and_own_ones_as_they_are() -> None:
    assert label_words(["motorcycle", "xe ba gác"], "vi") == {"motorcycle": "xe máy", "xe ba gác": "xe ba gác"}
    assert in_language("vi")["private"].startswith("Ảnh ở lại trên máy này")
