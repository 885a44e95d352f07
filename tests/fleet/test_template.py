"""fleet.template"""

from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from fleet.template import template
from tests.conftest import ROOT


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "fleet/templates").iterdir()))
def test_a_template_without_its_values_is_an_error_and_no_half_page(name: str) -> None:
    with pytest.raises(UndefinedError):
        template(name).render()


def test_marks_of_a_value_cannot_become_marks_of_the_page() -> None:
    label = {"code": "<script>", "device": "a&b", "commune": "c"}

    drawn = template("label.svg").render(
        label=label, modules=1, scale=1.0, dark="M0 0", id_mm=3.0, place=["<b>"], contact=[]
    )

    assert "<script>" not in drawn and "<b>" not in drawn
    assert "&lt;script&gt;" in drawn and "a&amp;b" in drawn


def test_a_template_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        template("../pyproject.toml")


def test_what_is_put_in_cannot_steer_a_reader() -> None:
    text = template("label.svg").render(
        label={"device": "a\x1b[31mb", "code": "x", "commune": "c"}, modules=21, scale=1, dark="", id_mm=5,
        place=["two\nlines \u202e"], contact=[],
    )  # fmt: skip

    assert "a\ufffd[31mb" in text and "two lines \ufffd" in text
