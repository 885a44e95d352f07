"""fleet.report.words"""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from fleet.report.evaluate import evaluate
from fleet.report.gather import read
from fleet.report.page import say
from fleet.report.words import ENGLISH, LANGUAGES, VIETNAMESE
from tests.conftest import ROOT
from tests.support.provinces import host, province, write


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert list(ENGLISH) == list(VIETNAMESE)
    assert {key: values(text) for key, text in ENGLISH.items()} == {
        key: values(text) for key, text in VIETNAMESE.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_words(tmp_path: Path, language: str) -> None:
    boxes, hosts = evaluate(read(write(tmp_path, province(), host(crl="", failed="a.service x\n"))))
    content = [say(finding, LANGUAGES[language]) for each in (*boxes, *hosts) for finding in each.findings]

    assert len(content) > 15
    assert not any("{" in text for text in content)
    judges = ROOT / "fleet/report/evaluate.py", ROOT / "agent/health_findings.py"
    source = "".join(each.read_text() for each in judges)
    of_health = r'Finding\([^"\n]+, "([a-z_]+)"'
    keys = set(re.findall(rf'_(?:now|soon)\)?\)?\("([a-z_]+)"|of\("([a-z_]+)"|{of_health}', source))
    assert {"degraded", "quarantined"} <= {key for group in keys for key in group}
    assert {key for pair in keys for key in pair if key} <= set(ENGLISH)
