"""agent.tools.preview.answer"""

from __future__ import annotations

import json
from http import HTTPStatus

from agent.tools.preview.answer import as_json, moved, plain


def test_answers_say_what_they_are() -> None:
    answered = as_json({"name": "Hải Ninh", "broken": "\ud800"})

    assert json.loads(answered.body) == {"name": "Hải Ninh", "broken": "?"}
    assert answered.kind == "application/json"
    assert plain(HTTPStatus.FORBIDDEN, "another site").body == b"Forbidden: another site\n"
    assert (moved("/there/").status, moved("/there/").more) == (308, {"Location": "/there/"})
