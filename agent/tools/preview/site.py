"""What the page asks for, and what it gets: a table of names, each a small method.

The drawing is kept here, not in the browser: a telephone that forgets a page in the background loses nothing.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from agent.clock import Clock
from agent.config.schema import CameraConfig
from agent.detectors import Detector
from agent.errors import NgatuError
from agent.language import LANGUAGES, language, translated
from agent.tools.preview import draft
from agent.tools.preview.answer import PageAnswer, PageRequest, as_json, plain
from agent.tools.preview.draft import PARTS, DraftJudgement, Places
from agent.tools.preview.footage import TrialFootage
from agent.tools.preview.live import Live
from agent.tools.preview.trial import Trial, TrialCourse
from agent.tools.preview.words import in_language

PAGE: Final = Path(__file__).with_name("page")
FILES: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
WAIT_S = 4.0
"""A request for the next picture waits so long: less than the deadline of a request."""

Told = Callable[[PageRequest], PageAnswer]


class PreviewSite:
    """One camera's page. Requests may come from many threads."""

    def __init__(
        self,
        file: Path,
        camera: str,
        live: Live,
        footage: Sequence[TrialFootage],
        detector: Detector,
        clock: Clock,
        notice: str = "",
    ) -> None:
        """`notice` is something that the page tells all the time.

        Raises:
            ConfigError: the file is wrong.
        """
        self._file, self._name = file, camera
        self._live, self._footage, self._detector, self._clock = live, footage, detector, clock
        self._notice = notice
        self._lock = threading.Lock()
        self._sheet = draft.read_sheet(file, camera)
        self._drawn: Places = self._sheet.places
        self._judgement = draft.judge(self._sheet, self._drawn)
        self._trial: Trial | None = None
        self._tried: Counter[str] = Counter()
        self._asked: Mapping[tuple[str, str], Told] = {
            ("GET", "words"): self._words,
            ("GET", "places"): self._places,
            ("GET", "view"): self._view,
            ("POST", "draw"): self._draw,
            ("POST", "read"): self._read,
            ("GET", "trial"): self._course,
            ("POST", "try"): self._try,
            ("POST", "stop"): self._stop,
            ("GET", "picture"): self._picture,
        }

    def __call__(self, request: PageRequest) -> PageAnswer:
        """The answer; one that is not in the table is not there."""
        if request.method == "GET" and request.name in FILES:
            name, kind = FILES[request.name]
            return PageAnswer(HTTPStatus.OK, kind, (PAGE / name).read_bytes())
        asked = self._asked.get((request.method, request.name))
        if asked is None:
            return plain(HTTPStatus.NOT_FOUND)
        try:
            return asked(request)
        except NgatuError as error:
            return as_json(said(error, request), HTTPStatus.CONFLICT)
        except (ValueError, RecursionError):  # what is asked is nonsense
            return plain(HTTPStatus.BAD_REQUEST)

    @property
    def trials(self) -> dict[str, int]:
        """On what footage rules were tried, and how often."""
        return dict(self._tried)

    def close(self) -> None:
        """End what runs."""
        if self._trial is not None:
            self._trial.stop()

    # ---------------------------------------------------------------------------------- the picture

    def _words(self, request: PageRequest) -> PageAnswer:
        code = told_in(request)
        return as_json({"language": code, "languages": LANGUAGES, "words": in_language(code)})

    def _view(self, request: PageRequest) -> PageAnswer:
        """A head in JSON, behind its length in four bytes; then the picture, if there is one."""
        view = self._live.newest(int(request.query.get("after", "0")), WAIT_S)
        head: dict[str, Any] = {}
        if view is not None:
            trouble = said(view.trouble, request) if view.trouble is not None else None
            head = {"number": view.number, "seen": view.seen, "trouble": trouble}
        words = json.dumps(head).encode()
        picture = (view.jpeg if view is not None else None) or b""
        return PageAnswer(HTTPStatus.OK, "application/octet-stream", len(words).to_bytes(4) + words + picture)

    # ---------------------------------------------------------------------------------- the drawing

    def _places(self, request: PageRequest) -> PageAnswer:
        with self._lock:
            values = {
                "camera": self._name,
                "notice": translated(self._notice, told_in(request)),
                "kinds": draft.kinds(),
                "footage": [translated(each.title, told_in(request)) for each in self._footage],
                **self._drawing(request),
            }
        return as_json(values)

    def _drawing(self, request: PageRequest) -> dict[str, Any]:
        """The drawing, beside the file; the caller holds the lock."""
        return {"drawn": self._drawn, "file": self._sheet.places, **judgement_said(self._judgement, request)}

    def _draw(self, request: PageRequest) -> PageAnswer:
        given = json.loads(request.body)
        if not (isinstance(given, dict) and set(given) == set(PARTS)):
            raise ValueError("no drawing")
        if not all(isinstance(items, list) for items in given.values()):
            raise ValueError("no drawing")
        with self._lock:
            judgement = draft.judge(self._sheet, given)
            self._take(given, judgement)
            return as_json(judgement_said(judgement, request))

    def _read(self, request: PageRequest) -> PageAnswer:
        sheet = draft.read_sheet(self._file, self._name)
        with self._lock:
            self._sheet = sheet
            self._take(sheet.places, draft.judge(sheet, sheet.places))
            config = self._judgement.config
            if config is not None and self._live.watch(config.cameras[0]) and self._trial is not None:
                self._trial.stop()
                self._trial = None  # its pictures were made under the masks of before
            return as_json(self._drawing(request))

    def _take(self, drawn: Places, judgement: DraftJudgement) -> None:
        self._drawn, self._judgement = drawn, judgement
        if judgement.config is not None:
            self._live.judge_by(judgement.config.cameras[0].pipeline(judgement.config.device).rules)

    # ---------------------------------------------------------------------------------- the trial

    def _try(self, request: PageRequest) -> PageAnswer:
        given = json.loads(request.body)
        number = given.get("footage") if isinstance(given, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(self._footage):
            raise ValueError("no such footage")
        with self._lock:
            config = self._judgement.config
            if config is None:
                return plain(HTTPStatus.CONFLICT, "the drawing is wrong")
            camera = masked_as_well(config.cameras[0], self._sheet.places["privacy_masks"])
            if self._trial is not None:
                self._trial.stop()
            settings = camera.pipeline(config.device)
            trial = Trial(self._footage[number], camera, settings, self._detector, self._clock)
            self._trial = trial
            self._tried[trial.footage.title] += 1
        threading.Thread(target=trial.run, name="trial", daemon=True).start()
        return self._course(request)

    def _stop(self, request: PageRequest) -> PageAnswer:
        self.close()
        return self._course(request)

    def _course(self, request: PageRequest) -> PageAnswer:
        trial = self._trial
        if trial is None:
            return as_json({"course": None})
        course = trial.course  # before the events: of a trial that is over all are told
        events = [
            {**each.values, "after_s": round(each.after_s, 1), "number": number}
            for number, each in enumerate(list(trial.events))
        ]
        return as_json(
            {
                "course": course.value,
                "title": translated(trial.footage.title, told_in(request)),
                "seconds": round(trial.seconds, 1),
                "events": events,
                "more": trial.more,
                "error": said(trial.error, request) if course is TrialCourse.FAILED and trial.error else None,
            }
        )

    def _picture(self, request: PageRequest) -> PageAnswer:
        number, events = int(request.query.get("number", "")), self._trial.events if self._trial else []
        if not 0 <= number < len(events):
            return plain(HTTPStatus.NOT_FOUND)
        return PageAnswer(HTTPStatus.OK, "image/jpeg", events[number].picture)


def told_in(request: PageRequest) -> str:
    """The language that the reader has chosen, or that of this process."""
    code = request.query.get("lang", "")
    return code if code in LANGUAGES else language()


def said(error: NgatuError, request: PageRequest) -> dict[str, str]:
    """The error in the reader's language."""
    code = told_in(request)
    return {"what": translated(error.what, code), "hint": translated(error.hint, code)}


def judgement_said(judgement: DraftJudgement, request: PageRequest) -> dict[str, Any]:
    """The judgement in the reader's language."""
    code = told_in(request)
    mistakes = [
        {"path": list(each.path), "what": translated(each.what, code), "hint": translated(each.hint, code)}
        for each in judgement.mistakes
    ]
    return {"yaml": judgement.yaml, "mistakes": mistakes}


def masked_as_well(camera: CameraConfig, masks: Sequence[Any]) -> CameraConfig:
    """The camera with these masks too: what the file hides stays hidden, whatever is drawn."""
    more = tuple(tuple((x, y) for x, y in mask) for mask in masks)
    return camera.model_copy(update={"privacy_masks": (*camera.privacy_masks, *more)})
