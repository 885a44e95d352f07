"""The technician at the pole: mistakes in the box's file, and in calling for its judgement."""

from __future__ import annotations

from tests.acceptance.faults.mistakes.desk import Desk
from tests.acceptance.faults.mistakes.mistake import Said, mistake

WHO = "technician"
ID = "  id: hai-ninh-01"
CORNERS = "polygon: [[0.3, 0.2], [0.7, 0.2], [0.7, 0.9], [0.3, 0.9]]"
RULE = "- {kind: zone, id: on-the-road, zone: road}"


@mistake(
    WHO, "a tab indents a line of the box's file", 2,
    what="not YAML", where="box.yaml:3", todo="indent with spaces, never tabs",
)  # fmt: skip
def tab(desk: Desk) -> Said:
    return desk.judged((ID, ID.replace("  ", "\t")))


@mistake(
    WHO, "a line is indented too far", 2,
    what="not YAML", where="box.yaml:3", todo="check the indentation",
)  # fmt: skip
def indentation(desk: Desk) -> Said:
    return desk.judged((ID, f"  {ID}"))


@mistake(
    WHO, "no blank stands behind a colon", 2,
    what="there is no blank behind 'id:'", where="box.yaml:3", todo="with a blank",
)  # fmt: skip
def no_blank(desk: Desk) -> Said:
    return desk.judged((ID, ID.replace(": ", ":")))


@mistake(
    WHO, "the dash before a camera is forgotten", 2,
    what="there is no '- ' before 'name:'", where="box.yaml", todo="begin each item of the list with '- '",
)  # fmt: skip
def no_dash(desk: Desk) -> Said:
    return desk.judged(("- name: north", "  name: north"))


@mistake(
    WHO, "the broker's address has a number above 255", 2,
    what='"192.168.10.999" is no address', where="box.yaml", todo="four numbers of 0..255",
)  # fmt: skip
def no_address(desk: Desk) -> Said:
    return desk.judged(("  host: ", "  host: 192.168.10.999 # "))


@mistake(
    WHO, "an editor saves the file as UTF-16", 2,
    what="is not UTF-8", where="box.yaml:1", todo="save the file as UTF-8",
)  # fmt: skip
def utf16(desk: Desk) -> Said:
    return desk.judged(encoding="utf-16")


@mistake(
    WHO, "a setting stands twice in one group", 2,
    what="set twice; first in line 3", where="box.yaml:4: device.id", todo="keep one of them",
)  # fmt: skip
def set_twice(desk: Desk) -> Said:
    return desk.judged((ID, f"{ID}\n  id: hai-ninh-02"))


@mistake(
    WHO, "a slip in the name of a setting", 2,
    what="no such setting", where="box.yaml:5: device.legal_bases", todo="did you mean legal_basis?",
)  # fmt: skip
def slip_in_setting(desk: Desk) -> Said:
    return desk.judged(("legal_basis", "legal_bases"))


@mistake(
    WHO, "a camera's address has a space in it", 2,
    what="is not an address", where="box.yaml:15: cameras[0].source.url", todo="such as rtsp://host:554/path",
)  # fmt: skip
def space_in_address(desk: Desk) -> Said:
    return desk.judged((desk.source, '{kind: rtsp, url: "rtsp://10.20.1.21/cam 1"}'))


@mistake(
    WHO, "the camera's login stands in its address", 2,
    what="take the user name and password out", where="box.yaml:15: cameras[0].source.url",
    todo="set username and password",
)  # fmt: skip
def login_in_address(desk: Desk) -> Said:
    return desk.judged((desk.source, "{kind: rtsp, url: rtsp://admin:hai1234@10.20.1.21/1}"))


@mistake(
    WHO, "the password itself stands in the file", 2,
    what="a text, not a secret", where="box.yaml:10: broker.password", todo="{file: /etc/ngatu/secret}",
)  # fmt: skip
def password_written_out(desk: Desk) -> Said:
    return desk.judged(("  tls:", "  username: hai-ninh-01\n  password: hai1234\n  tls:"))


@mistake(
    WHO, "two cameras have one name", 2,
    what='"north" is the name of cameras[0] already', where="box.yaml:20: cameras[1].name",
    todo="choose another",
)  # fmt: skip
def two_cameras(desk: Desk) -> Said:
    second = f"  - name: north\n    source: {desk.source}\n    rules: [{{kind: motion, id: movement}}]"
    return desk.judged((RULE, f"{RULE}\n{second}"))


@mistake(
    WHO, "milliseconds are written where seconds belong", 2,
    what="60000 is outside", where="box.yaml:2: health.interval_s", todo="5..240 seconds",
)  # fmt: skip
def milliseconds(desk: Desk) -> Said:
    return desk.judged(("device:", "health:\n  interval_s: 60000\ndevice:"))


@mistake(
    WHO, "a unit stands behind a number", 2,
    what="60s has a unit", where="box.yaml:2: health.interval_s", todo="write 60, without a unit",
)  # fmt: skip
def unit(desk: Desk) -> Said:
    return desk.judged(("device:", "health:\n  interval_s: 60s\ndevice:"))


@mistake(
    WHO, "a number is negative", 2,
    what="-5 is not", where="box.yaml:15: cameras[0].max_fps", todo="above 0 and at most 120",
)  # fmt: skip
def negative(desk: Desk) -> Said:
    return desk.judged(("  - name: north", "  - name: north\n    max_fps: -5"))


@mistake(
    WHO, "a number has a decimal comma", 2,
    what="20,9462 has a comma", where="box.yaml:4: device.location.latitude", todo="write 20.9462",
)  # fmt: skip
def decimal_comma(desk: Desk) -> Said:
    return desk.judged((ID, f"{ID}\n  location: {{latitude: 20,9462, longitude: 106.3319}}"))


@mistake(
    WHO, "a rule's hours end at 24:00", 2,
    what='"24:00" is not', where="box.yaml:19: cameras[0].rules[0].schedule[0].end", todo="such as 22:30",
)  # fmt: skip
def twenty_four(desk: Desk) -> Said:
    return desk.judged((RULE, f"{RULE[:-1]}, schedule: [{{start: '22:00', end: '24:00'}}]}}"))


@mistake(
    WHO, "a zone has two corners", 2,
    what="2 corners, and at least three are needed", where="box.yaml:17: cameras[0].zones[0].polygon",
    todo="add the missing ones",
)  # fmt: skip
def two_corners(desk: Desk) -> Said:
    return desk.judged((CORNERS, "polygon: [[0.3, 0.2], [0.7, 0.9]]"))


@mistake(
    WHO, "the edges of a zone cross", 2,
    what="its edges 1 and 3 cross", where="box.yaml:17: cameras[0].zones[0]",
    todo="list the corners in order around the zone",
)  # fmt: skip
def crossing_edges(desk: Desk) -> Said:
    return desk.judged((CORNERS, "polygon: [[0.3, 0.2], [0.7, 0.9], [0.7, 0.2], [0.3, 0.9]]"))


@mistake(
    WHO, "a zone is measured in pixels", 2,
    what="576", where="box.yaml:17: cameras[0].zones[0].polygon", todo="fraction",
)  # fmt: skip
def pixels(desk: Desk) -> Said:
    return desk.judged((CORNERS, "polygon: [[576, 216], [1344, 216], [1344, 972], [576, 972]]"))


@mistake(
    WHO, "a rule names a zone that is not there", 2,
    what='there is no zone "raod"', where="box.yaml:19: cameras[0].rules[0].zone", todo="did you mean road?",
)  # fmt: skip
def unknown_zone(desk: Desk) -> Said:
    return desk.judged(("zone: road}", "zone: raod}"))


@mistake(
    WHO, "a rule is of a kind that does not exist", 2,
    what='"speeding" is not one of', where="box.yaml:19: cameras[0].rules[0].kind", todo="wrong_way",
)  # fmt: skip
def unknown_kind(desk: Desk) -> Said:
    return desk.judged(("{kind: zone,", "{kind: speeding,"))


@mistake(
    WHO, "pasted quotation marks are curly", 2,
    what='"“hai-ninh-01”" is not', where="box.yaml:3: device.id", todo='write it between "…", or without',
)  # fmt: skip
def curly_quotes(desk: Desk) -> Said:
    return desk.judged(("id: hai-ninh-01", "id: “hai-ninh-01”"))


@mistake(
    WHO, "a box's id has capitals, a space and diacritics", 2,
    what='"Hải Ninh 01" is not', where="box.yaml:3: device.id", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def diacritics(desk: Desk) -> Said:
    return desk.judged(("id: hai-ninh-01", "id: Hải Ninh 01"))


@mistake(
    WHO, "local time is given as a number", 2,
    what="7 is not a text", where="box.yaml:4: device.utc_offset", todo="+07:00",
)  # fmt: skip
def utc_offset(desk: Desk) -> Said:
    return desk.judged((ID, f"{ID}\n  utc_offset: 7"))


@mistake(
    WHO, "the file is empty", 2,
    what="the file has no settings", where="box.yaml:1", todo="ngatu config example",
)  # fmt: skip
def empty(desk: Desk) -> Said:
    return desk.judged((desk.box_yaml, ""))


@mistake(
    WHO, "the station's file is given to the box", 2,
    what="this is the file of a station", where="station.yaml:1", todo="ngatu config example",
)  # fmt: skip
def file_of_a_station(desk: Desk) -> Said:
    return desk.ngatu("check", "--offline", "-c", desk.station())


@mistake(
    WHO, "the file is called otherwise", 2,
    what="cannot be read: No such file", where="box.yml", todo="look at the path",
)  # fmt: skip
def no_such_file(desk: Desk) -> Said:
    desk.box()
    return desk.ngatu("check", "-c", "box.yml")


@mistake(
    WHO, "a folder is given instead of the file", 2,
    what="Is a directory", where="conf", todo="look at the path",
)  # fmt: skip
def folder(desk: Desk) -> Said:
    (desk.folder / "conf").mkdir()
    return desk.ngatu("check", "-c", "conf")


@mistake(
    WHO, "the file may not be read by who calls", 2, what="Permission denied", where="box.yaml", todo="rights"
)
def unreadable(desk: Desk) -> Said:
    (desk.folder / desk.box()).chmod(0)
    return desk.ngatu("check", "-c", "box.yaml", plain_user=True)


@mistake(WHO, "two files are given", 2, what="it is given twice", where="--config / -c", todo="give it once")
def two_files(desk: Desk) -> Said:
    return desk.ngatu("check", "--offline", "-c", desk.box(), "-c", "other.yaml")


@mistake(
    WHO, "the option stands before the command", 2,
    what="No such option: -c", where="-c", todo="ngatu check -c",
)  # fmt: skip
def option_first(desk: Desk) -> Said:
    return desk.ngatu("-c", desk.box(), "check")


@mistake(WHO, "a slip in the command", 2, what="No such command", where="'chek'", todo="Did you mean 'check'?")
def slip_in_command(desk: Desk) -> Said:
    return desk.ngatu("chek", "-c", desk.box())


@mistake(
    WHO, "the file is named without -c", 2,
    what="unexpected extra argument", where="box.yaml", todo="-c box.yaml",
)  # fmt: skip
def no_option(desk: Desk) -> Said:
    return desk.ngatu("check", desk.box())


@mistake(
    WHO, "a pasted option begins with a long dash", 2,
    what="unexpected extra argument", where="–c", todo="type -c",
)  # fmt: skip
def long_dash(desk: Desk) -> Said:
    return desk.ngatu("check", "–c", desk.box())


@mistake(
    WHO, "a zone is measured in percent", 2,
    what="in percent or in pixels", where="box.yaml:17: cameras[0].zones[0].polygon", todo="[0.3, 0.2]",
)  # fmt: skip
def percent(desk: Desk) -> Said:
    return desk.judged((CORNERS, "polygon: [[30, 20], [70, 20], [70, 90], [30, 90]]"))


@mistake(
    WHO, "a comma is missing between two corners", 2,
    what="there is no comma in '] ['", where="box.yaml:17", todo="part the items with commas",
)  # fmt: skip
def no_comma(desk: Desk) -> Said:
    return desk.judged((CORNERS, CORNERS.replace("], [0.7, 0.2", "] [0.7, 0.2")))


@mistake(
    WHO, "a bracket too many closes the corners", 2,
    what="there is a ']' too many", where="box.yaml:17", todo="count the brackets",
)  # fmt: skip
def bracket(desk: Desk) -> Said:
    return desk.judged((CORNERS, f"{CORNERS}]"))


@mistake(
    WHO, "the corners of a zone begin under its dash", 2,
    what="this line begins under the '-' of line 17", where="box.yaml:18", todo="the first letter behind '- '",
)  # fmt: skip
def under_the_dash(desk: Desk) -> Said:
    return desk.judged((f"- {{id: road, {CORNERS}}}", f"- id: road\n      {CORNERS}"))


@mistake(
    WHO, "a camera's zones are called zone", 2,
    what="no such setting", where="box.yaml:16: cameras[0].zone", todo="did you mean zones?",
)  # fmt: skip
def zone_for_zones(desk: Desk) -> Said:
    return desk.judged(("    zones:", "    zone:"))


@mistake(
    WHO, "a zone has a name in place of an id", 2,
    what="no such setting", where="box.yaml:17: cameras[0].zones[0].name", todo="here it is called id",
)  # fmt: skip
def zone_name(desk: Desk) -> Said:
    return desk.judged(("id: road", "name: road"))


@mistake(
    WHO, "a line is a list of corners", 2,
    what="no such setting", where="box.yaml:19: cameras[0].rules[0].line", todo="start: [x, y] and end: [x, y]",
)  # fmt: skip
def line_of_corners(desk: Desk) -> Said:
    return desk.judged((RULE, "- {kind: line, id: stop, line: [[0.1, 0.5], [0.9, 0.5]]}"))


@mistake(
    WHO, "a rule's hours are written as a text", 2,
    what='"22:00-05:00" is a text', where="box.yaml:19: cameras[0].rules[0].schedule", todo="[{days: …",
)  # fmt: skip
def hours_as_text(desk: Desk) -> Said:
    return desk.judged((RULE, RULE.replace("road}", 'road, schedule: "22:00-05:00"}')))
