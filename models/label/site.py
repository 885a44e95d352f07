"""What the page asks for, and what it gets."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import FileResponse, JSONResponse, Response

from agent.errors import NgatuError
from agent.language import LANGUAGES, language, translated
from models.label.outbound import Outbound
from models.label.pictures import shown, tile
from models.label.prefill import Prefill
from models.label.sheet import LabelSheet
from models.label.store import PictureRow, StaleSheet
from models.label.words import in_language, label_words
from models.label.workplace import Workplace

PAGE: Final = Path(__file__).with_name("page")
FILES: Final = {
    "": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


def site_of(workplace: Workplace, outbound: Outbound, prefill: Prefill | None) -> FastAPI:
    """The application. It is guarded by somebody else."""
    app = FastAPI(title="ngatu", docs_url=None, redoc_url=None, openapi_url=None)
    store = workplace.store

    def found(number: int) -> PictureRow:
        row = store.picture(number)
        if row is None:
            raise HTTPException(404)
        return row

    @app.get("/words")
    def words(lang: str = "") -> dict[str, Any]:
        code = lang if lang in LANGUAGES else language()
        return {
            "language": code, "languages": LANGUAGES, "words": in_language(code),
            "labels": label_words(workplace.classes, code),
        }  # fmt: skip

    @app.get("/set")
    def whole_set() -> dict[str, Any]:
        pictures = store.summaries()
        return {
            "name": workplace.folder.resolve().name,
            "classes": workplace.classes,
            "cameras": Counter(each["camera"] for each in pictures),
            "pictures": pictures,
            "revision": store.revision,
            "written": outbound.name,
        }

    @app.get("/changes")
    def changes(since: int, lang: str = "") -> dict[str, Any]:
        revision = store.revision
        fault = outbound.error or (prefill.error if prefill else None)
        return {
            "revision": revision,
            "pictures": store.summaries(since) if since < revision else [],
            "model": prefill.model if prefill else "",
            "looking": prefill is not None and prefill.running,
            "trouble": translated(fault, lang if lang in LANGUAGES else language()) if fault else "",
        }

    @app.get("/pictures/{number}")
    def picture(number: int) -> Response:
        row = found(number)
        if prefill is not None:
            prefill.want(number)
        return _sheet(row)

    @app.put("/pictures/{number}")
    def save(number: int, sheet: LabelSheet, if_match: Annotated[str, Header()] = "") -> Response:
        row = found(number)
        version = if_match.strip('"')
        if not version.isdigit():
            raise HTTPException(428)
        _check(sheet, row, workplace.classes)
        try:
            now = store.save(number, sheet, int(version))
        except StaleSheet:
            return _sheet(found(number), 412)
        outbound.changed()
        return JSONResponse({"version": now}, headers={"ETag": f'"{now}"'})

    @app.get("/pictures/{number}/image")
    def image(number: int) -> Response:
        row = found(number)
        data, kind = shown(workplace.images / row.name, row.width * row.height)
        return Response(data, media_type=kind)

    @app.get("/pictures/{number}/tile")
    def small(number: int) -> Response:
        row = found(number)
        return Response(tile(workplace.images / row.name), media_type="image/jpeg")

    @app.get("/{name}")
    def page(name: str) -> Response:
        return _file(name or "page.html")

    @app.get("/")
    def first_page() -> Response:
        return _file("page.html")

    app.add_exception_handler(NgatuError, _not_possible)
    app.add_exception_handler(RequestValidationError, _misread)
    return app


def _file(name: str) -> Response:
    path = PAGE / name
    kind = FILES.get(path.suffix) if name != "page.html" else FILES[""]
    if kind is None or name not in {each.name for each in PAGE.iterdir()}:
        raise HTTPException(404)
    return FileResponse(path, media_type=kind)


def _sheet(row: PictureRow, status: int = 200) -> Response:
    values = {
        "id": row.id, "name": row.name, "camera": row.camera, "width": row.width, "height": row.height,
        "fault": row.fault, "proposed": bool(row.proposed_by), "version": row.version,
        **json.loads(row.sheet.model_dump_json()),
    }  # fmt: skip
    return JSONResponse(values, status, {"ETag": f'"{row.version}"'})


def _check(sheet: LabelSheet, row: PictureRow, classes: tuple[str, ...]) -> None:
    """Only what can be labels of this picture is saved."""
    for box in (*sheet.boxes, *sheet.proposals):
        inside = box.left < box.right <= row.width and box.top < box.bottom <= row.height
        if not inside or box.label not in classes:
            raise HTTPException(422, "a box outside the picture, or an unknown label")


async def _not_possible(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": translated(error)}, 409)


async def _misread(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "that is no sheet"}, 422)
