"""What envelopes usually hold, by which a lone alert is as short as one among many.

It is a part of the format: whoever has another one reads nothing. So it is never changed, only followed by
another under the next version (docs/design/uplink.md). The most usual stands last, as zlib wants it (RFC 1950).
"""

from __future__ import annotations

from typing import Final

DICTIONARY_1: Final = (
    b'["count",""]["box",""]["seal",""]["hour",""]'
    b'{"state":"offline","state_ms":1764,"last_seen_ms":1764,"cameras":{"":["online",1764],"":["lost",1764],'
    b'"":["paused",1764]},"said_ms":1764}'
    b'{"camera":"","rule":"","hour_ms":1764000,"said_ms":1764,"sums":"{\\"counts\\":{\\"bicycle\\":{\\"in\\":1},'
    b'\\"bus\\":{\\"in\\":1,\\"out\\":1},\\"truck\\":{\\"in\\":1,\\"out\\":1},\\"person\\":{\\"in\\":1,'
    b'\\"out\\":1},\\"car\\":{\\"in\\":1,\\"out\\":1},\\"motorcycle\\":{\\"in\\":1,\\"out\\":1}},'
    b'\\"spans\\":[[0,3600000]],\\"parted\\":[false,false]}"}'
    b'{"seq":1,"stream":"","published_at":"","replayed":false,"schema":"1.0","of":"","number":1,'
    b'"previous":{"stream":"","number":1,"sha256":""},"entries":[[1,""],[2,""]],"dropped":[],"carried":null,'
    b'"time":""}'
    b'"kind":"agent_restarted""kind":"camera_blind""kind":"camera_lost""kind":"storage_full""camera":"box"'
    b'"rule":{"id":"box","kind":"box"},"object":null,"region":{"left":0.,"top":0.,"right":0.,"bottom":0.},'
    b'"kind":"motion""kind":"crowd""kind":"object_left""kind":"stopped_vehicle""kind":"wrong_way"'
    b'"rule":{"id":"","kind":"stopped_vehicle"}"rule":{"id":"","kind":"wrong_way"}"rule":{"id":"","kind":"zone"}'
    b'"label":"bicycle""label":"bus""label":"truck""label":"person""label":"car"'
    b'"end_reason":"camera_lost""end_reason":"lost""phase":"update""phase":"start"'
    b'"vehicle_colour":{"word":"white"},"vehicle_colour":{"word":"black"},"vehicle_colour":{"word":"red"},'
    b'"clothes_colour":{"word":"blue"}"clothes_colour":{"word":"black"}'
    b'{"commune":"","made_ms":1764}\n["event","",1]\n'
    b'{"seq":1,"stream":"019","published_at":"2026-11-29T08:00:00.000Z","replayed":true,"schema":"1.0","commune":"'
    b'","device":"","camera":"","clock":{"state":"ntp","error_ms":3,"boot_id":"","mono_ms":1},"id":"019'
    b'","revision":1,"kind":"loitering","phase":"start","severity":"info","time":"2026-11-29T08:00:00.000Z",'
    b'"start_time":"2026-11-29T08:00:00.000Z","rule":{"id":"","kind":"loitering"},'
    b'"kind":"line_crossed","phase":"end","severity":"alert","rule":{"id":"","kind":"line"},'
    b'"kind":"zone_entered","phase":"end","severity":"alert","time":"2026-11-29T08:00:00.000Z",'
    b'"start_time":"2026-11-29T08:00:00.000Z","rule":{"id":"","kind":"zone"},"object":{"track_id":"019'
    b'","label":"motorcycle","score":0.8,"top_score":0.9,"riders":1,"box":{"left":0.,"top":0.,"right":0.,'
    b'"bottom":0.},"start_time":"2026-11-29T08:00:00.000Z","end_time":"2026-11-29T08:00:00.000Z",'
    b'"stationary":false,"zones":[""],"entered_zones":[""],"path":[[0.0,0.,0.],[0.2,0.,0.],[0.4,0.,0.],'
    b'[0.6,0.,0.],[0.8,0.,0.],[1.0,0.,0.]],"vehicle_colour":{"word":"unknown"},"clothes_colour":null},'
    b'"region":null,"direction":"out","end_reason":null,"detail":null,"direction":"in","end_reason":"left",'
    b'"detail":null,"frame":{"width_px":1280,"height_px":720},"image":null,"scene":null,'
    b'"image":{"topic":"camera//image/019/thumbnail","sha256":"","width_px":320,"height_px":240,"bytes":1,'
    b'"from_main":false},"scene":{"topic":"camera//image/019/scene","sha256":"","width_px":960,'
    b'"height_px":540,"bytes":1,"from_main":false},"scene":null,"model":{"name":"yolox-nano-416","sha256":"'
    b'"},"suppressed":0}\n["event","",1]\n'
)
