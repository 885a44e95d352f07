"""agent.tools.notice_page"""

from __future__ import annotations

from agent.status.notice import PublicNotice
from agent.tools.notice_page import as_html, as_text

NOTICE = PublicNotice("Cameras", (("Who", "Police <b>"), ("Why", "safety\x1b[31m")))
LANGUAGES = [("vi", str.upper), ("en", str)]


def test_the_page_has_each_language_and_nothing_of_the_words_is_markup() -> None:
    page = as_html(NOTICE, LANGUAGES)

    assert page.index('<section lang="vi"><h1>CAMERAS') < page.index('<section lang="en"><h1>Cameras')
    assert "Police &lt;b&gt;" in page
    assert "\x1b" not in page
    assert "http" not in page, "nothing from elsewhere"


def test_the_text_has_a_heading_for_each_row() -> None:
    said = as_text(NOTICE, LANGUAGES[1:])

    assert said.startswith("CAMERAS\n\nWho:\n  Police <b>\n\nWhy:\n  safety")
    assert "\x1b" not in said
