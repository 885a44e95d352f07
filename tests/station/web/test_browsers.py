"""station.web.browsers"""

from __future__ import annotations

import pytest

from agent.language import translated
from station.web.browsers import browser_words

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (CHROME, "Chrome trên Windows"),
        (f"{CHROME} Edg/130.0", "Edge trên Windows"),
        (f"{CHROME} coc_coc_browser/130", "Cốc Cốc trên Windows"),
        (PHONE, "Safari trên iPhone"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", "Firefox trên Android"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
        ("curl/8", "trình duyệt không rõ"),
        ("", "trình duyệt không rõ"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(said: str, words: str) -> None:
    assert translated(browser_words(said), "vi") == words
