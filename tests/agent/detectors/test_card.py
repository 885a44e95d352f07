"""agent.detectors.card"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.core.types import Size
from agent.detectors.card import Card, hashed, parse_card, read_card
from agent.detectors.labels import COCO80, COCO91, ROAD_USERS
from agent.detectors.places import SHIPPED
from agent.errors import ModelError

ROOT = Path(__file__).resolve().parents[3]
GOOD: dict[str, Any] = {
    "name": "mine",
    "input": {"width_px": 416, "height_px": 320},
    "resize": "letterbox_top_left",
    "channels": "bgr",
    "head": {"kind": "yolox", "strides": [8, 16, 32]},
    "licence": "Apache-2.0",
    "source": "trained here",
}
CARD = Path("mine.yaml")


def test_what_a_card_leaves_out_has_a_default() -> None:
    card = parse_card(GOOD, CARD)

    assert card.field == Size(416, 320)
    assert card.keep == ROAD_USERS
    assert card.labels == COCO80
    assert card.is_plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "mine.yaml: name: "),
        ({"colour": "bgr"}, "mine.yaml: colour: no such field"),
        ({"resize": "letterbox"}, "mine.yaml: resize: "),
        ({"mean": [1, 2]}, r"mine.yaml: mean\[2\]: this field is missing"),
        ({"input": {"width_px": 8, "height_px": 320}}, "mine.yaml: input.width_px: "),
        ({"head": {"kind": "yolo12"}}, "mine.yaml: head: "),
        ({"head": {"kind": "yolox", "anchors": []}}, "mine.yaml: head.yolox.anchors: no such field"),
        ({"head": {"kind": "yolov3"}}, "mine.yaml: head.yolov3.anchors: this field is missing"),
        ({"nms_iou": 0}, "mine.yaml: nms_iou: "),
        ({"sha256": "ABC"}, "mine.yaml: sha256: "),
        ({"keep": []}, "mine.yaml: keep: "),
        ({"keep": ["motorbike"]}, "mine.yaml: keep: the model has no label motorbike"),
        (
            {"label_sure_from": {"motorbike": 0.4}},
            "mine.yaml: label_sure_from: the model has no label motorbike",
        ),
        ({"label_sure_from": {"motorcycle": 1}}, "mine.yaml: label_sure_from.motorcycle: "),
        ({"labels": "coco81"}, "mine.yaml: labels: the file coco81 cannot be read"),
    ],
)
def test_a_mistake_is_told_with_file_and_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_card(GOOD | change, CARD)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        parse_card({"name": "mine", "min_score": 2}, CARD)

    for field in ("input", "resize", "channels", "head", "licence", "source", "min_score"):
        assert f"mine.yaml: {field}: " in caught.value.what


def test_the_nearest_label_is_suggested() -> None:
    with pytest.raises(ModelError) as caught:
        parse_card(GOOD | {"keep": ["buss"]}, CARD)
    assert caught.value.hint == "did you mean bus?"


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "is not YAML"), ("- a\n", "a list of fields"), ("", "a list of fields")],
)
def test_a_file_that_is_no_card_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ModelError, match=message):
        read_card(path)


@pytest.mark.parametrize("labels", ["../own.names", "/etc/passwd", "sub/own.names"])
def test_labels_are_read_from_nowhere_else(labels: str) -> None:
    with pytest.raises(ModelError, match="is not the name of a file beside the card") as caught:
        parse_card(GOOD | {"labels": labels}, CARD)
    assert "root:" not in f"{caught.value.what} {caught.value.hint}"


@pytest.mark.parametrize("text", [
    "name: " + "x" * 100_000,
    "[" * 50_000,
    "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8))
    + "name: *i\n",
])  # fmt: skip
def test_a_card_that_is_a_bomb_is_told_in_few_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        read_card(path)
    assert len(caught.value.what) < 5000


def test_a_missing_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path / "none.yaml")


def test_labels_may_stand_in_a_file_beside_the_card(tmp_path: Path) -> None:
    (tmp_path / "own.names").write_text("xe máy\nô tô\n\n", encoding="utf-8")
    path = tmp_path / "card.yaml"
    path.write_text(
        yaml.safe_dump(GOOD | {"labels": "own.names", "keep": ["xe máy"]}, allow_unicode=True),
        encoding="utf-8",
    )

    assert read_card(path).labels == ("xe máy", "ô tô")


def test_the_lists_of_coco_are_whole() -> None:
    assert len(set(COCO80)) == 80
    assert len(COCO91) == 91
    # Ids as COCO's annotations give them.
    assert {COCO91[i] for i in (1, 3, 8, 13, 44, 90)} == {
        "person", "car", "truck", "stop sign", "bottle", "toothbrush",
    }  # fmt: skip
    assert COCO80[5] == "bus"
    assert tuple(filter(None, COCO91)) == COCO80


def test_every_shipped_card_is_right_and_for_another_file() -> None:
    cards = [read_card(path) for path in SHIPPED.glob("*.yaml")]

    assert len(cards) >= 6
    assert None not in {card.sha256 for card in cards}
    assert len({card.sha256 for card in cards}) == len(cards)


def test_a_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    assert hashed(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ModelError, match="cannot be read"):
        hashed(tmp_path / "b")


def test_the_guide_explains_every_field_of_a_card_and_no_other() -> None:
    page = (ROOT / "docs/guide/models.md").read_text(encoding="utf-8")
    table = page.split("## The model card")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(Card.model_fields)


def test_the_guide_lists_every_head_and_no_other() -> None:
    page = (ROOT / "docs/guide/models.md").read_text(encoding="utf-8")
    table = page.split("## The heads")[1].split("\n## ")[0]
    schema = Card.model_json_schema()["properties"]["head"]["discriminator"]["mapping"]

    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {kind for row in rows for kind in re.findall(r"`(\w+)`", row)}
    assert named == set(schema)


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_labels_come_from_a_file_beside_the_card_and_from_nowhere_else(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_text("hidden-words\n")
    path = tmp_path / "beside"
    path.mkdir()
    os.mkfifo(path / "labels") if kind == "pipe" else (path / "labels").symlink_to(tmp_path / "secret")
    fields = {
        "name": "m", "input": {"width_px": 64, "height_px": 64}, "resize": "stretch", "channels": "bgr",
        "head": {"kind": "yolox"}, "labels": "labels", "licence": "x", "source": "x",
    }  # fmt: skip
    with pytest.raises(ModelError) as refused:
        parse_card(fields, path / "m.yaml")
    assert "hidden-words" not in str(refused.value)


JUDGED: dict[str, Any] = {
    "verdict": "better",
    "on": "2026-03-01",
    "against": "old",
    "against_sha256": "0" * 64,
    "score": 0.4,
    "tolerance": 2.0,
    "main": ["motorcycle"],
    "data": [{"name": "night", "digest": "1" * 64, "pictures": 16}],
    "may_be_passed_on": False,
    "figures": [
        {"data": "night", "label": "motorcycle", "figure": "ap50", "objects": 86, "old": 31.0, "new": 55.0,
         "low": 12.0, "high": 35.5, "verdict": "better"},
    ],
}  # fmt: skip


def test_a_card_may_say_how_the_model_was_judged() -> None:
    card = parse_card({**GOOD, "judgement": JUDGED}, CARD)

    assert card.judgement is not None
    assert card.judgement.verdict == "better"
    assert card.judgement.data[0].licence == ""
    assert parse_card(GOOD, CARD).judgement is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "good"}, "mine.yaml: judgement.verdict: "),
        ({"data": [{"name": "night"}]}, r"mine.yaml: judgement.data\[0\].digest: this field is missing"),
        ({"opinion": 1}, "mine.yaml: judgement.opinion: no such field"),
    ],
)
def test_a_judgement_that_is_wrong_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_card({**GOOD, "judgement": {**JUDGED, **change}}, CARD)
