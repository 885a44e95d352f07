"""The lists of labels that so many models share that a card may name them."""

from __future__ import annotations

COCO80: tuple[str, ...] = tuple(
    """person;bicycle;car;motorcycle;airplane;bus;train;truck;boat;traffic light;fire hydrant;stop sign;
    parking meter;bench;bird;cat;dog;horse;sheep;cow;elephant;bear;zebra;giraffe;backpack;umbrella;handbag;tie;
    suitcase;frisbee;skis;snowboard;sports ball;kite;baseball bat;baseball glove;skateboard;surfboard;
    tennis racket;bottle;wine glass;cup;fork;knife;spoon;bowl;banana;apple;sandwich;orange;broccoli;carrot;
    hot dog;pizza;donut;cake;chair;couch;potted plant;bed;dining table;toilet;tv;laptop;mouse;remote;keyboard;
    cell phone;microwave;oven;toaster;sink;refrigerator;book;clock;vase;scissors;teddy bear;hair drier;
    toothbrush""".replace("\n    ", "").split(";")
)
"""The 80 categories of COCO 2017 in the order of their ids, without the gaps."""

_GAPS = (0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
"""Ids up to 90 that COCO 2014 drew up and never used; 0 is the background of TensorFlow's models."""


def _with_gaps() -> tuple[str, ...]:
    names = iter(COCO80)
    return tuple("" if index in _GAPS else next(names) for index in range(91))


COCO91: tuple[str, ...] = _with_gaps()
"""The same categories at their COCO ids (1..90), as TensorFlow's detection models count; gaps are empty."""

BUILT_IN: dict[str, tuple[str, ...]] = {"coco80": COCO80, "coco91": COCO91}

ROAD_USERS: tuple[str, ...] = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
"""What a junction is about; the labels that a card keeps unless it says otherwise."""
