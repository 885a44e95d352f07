"""The words of the wire as people read them; what nobody has named stays as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.translatable import tr

KINDS: Final[Mapping[str, str]] = {
    "motion": tr("motion"),
    "object": tr("object"),
    "zone_entered": tr("zone_entered"),
    "line_crossed": tr("line_crossed"),
    "loitering": tr("loitering"),
    "stopped_vehicle": tr("stopped_vehicle"),
    "wrong_way": tr("wrong_way"),
    "crowd": tr("crowd"),
    "object_left": tr("object_left"),
    "camera_lost": tr("camera_lost"),
    "camera_blind": tr("camera_blind"),
    "storage_full": tr("storage_full"),
    "storage_ram_only": tr("storage_ram_only"),
    "storage_corrupt": tr("storage_corrupt"),
    "outbox_forked": tr("outbox_forked"),
    "identity_taken": tr("identity_taken"),
    "recording_stopped": tr("recording_stopped"),
    "clock_untrusted": tr("clock_untrusted"),
    "overheated": tr("overheated"),
    "agent_restarted": tr("agent_restarted"),
    "model_tried": tr("model_tried"),
}
"""What an event reports."""
LABELS: Final[Mapping[str, str]] = {
    "person": tr("person"),
    "bicycle": tr("bicycle"),
    "car": tr("car"),
    "motorcycle": tr("motorcycle"),
    "bus": tr("bus"),
    "truck": tr("truck"),
}
"""Road users; other labels are the model's own."""
COLOURS: Final[Mapping[str, str]] = {
    "black": tr("black"),
    "white": tr("white"),
    "grey": tr("grey"),
    "red": tr("red"),
    "orange": tr("orange"),
    "yellow": tr("yellow"),
    "green": tr("green"),
    "blue": tr("blue"),
    "purple": tr("purple"),
    "pink": tr("pink"),
    "brown": tr("brown"),
}
"""Of vehicles and clothes."""
DIRECTIONS: Final[Mapping[str, str]] = {"in": tr("in"), "out": tr("out")}
"""Over a line."""
PHASES: Final[Mapping[str, str]] = {"start": tr("start"), "update": tr("update"), "end": tr("end")}
END_REASONS: Final[Mapping[str, str]] = {
    "left": tr("left"),
    "lost": tr("lost"),
    "camera_lost": tr("camera_lost"),
    "clip_restarted": tr("clip_restarted"),
    "stopped": tr("stopped"),
    "agent_restarted": tr("agent_restarted"),
    "too_old": tr("too_old"),
    "paused": tr("paused"),
}
SEVERITIES: Final[Mapping[str, str]] = {"info": tr("info"), "alert": tr("alert")}
DETAILS: Final[Mapping[str, str]] = {
    "covered": tr("covered"),
    "dark": tr("dark"),
    "bright": tr("bright"),
    "blurred": tr("blurred"),
    "moved": tr("moved"),
    "frozen": tr("frozen"),
}
"""Why a camera cannot see."""
BOX_STATES: Final[Mapping[str, str]] = {
    "online": tr("online"),
    "offline": tr("offline"),
    "stopped": tr("stopped"),
    "never told": tr("never told"),
}
ANSWERS: Final[Mapping[str, str]] = {
    "accepted": tr("accepted"),
    "done": tr("done"),
    "refused": tr("refused"),
    "failed": tr("failed"),
}
"""How far a box came with an order."""


def named(words: Mapping[str, str], said: object) -> str:
    """A word of the wire as a message that can be translated; English leaves it as it came."""
    return words.get(str(said), str(said))
