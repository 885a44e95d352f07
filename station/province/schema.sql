-- The province's tables, version 2 (1 was never released). A step that was released is never changed; the next is a file of its own.
-- Moments are whole milliseconds since 1970 in UTC. received_ms is by the worker's clock, said_ms by the station's.

create table commune (
    id              integer generated always as identity primary key,
    name            text    not null unique,
    shard           text    not null,
    first_seen_ms   bigint  not null,
    last_seen_ms    bigint  not null,
    state           text,               -- of its station's uplink: online, offline, stopped
    session         text,
    state_ms        bigint
);
create table up_life (                  -- sessions of its station's uplink
    commune_id      integer not null references commune (id),
    session         text    not null,
    first_ms        bigint  not null,
    primary key (commune_id, session)
);
create table up_stream (                -- one life of the uplink's outbox
    id              bigint  generated always as identity primary key,
    commune_id      integer not null references commune (id),
    name            text    not null,
    first_seen_ms   bigint  not null,
    hello_ms        bigint,
    oldest          bigint,
    newest          bigint,
    unique (commune_id, name)
);
create table up_span (                  -- what is committed of it, for ever
    stream_id       bigint  not null references up_stream (id),
    first           bigint  not null,
    last            bigint  not null,
    primary key (stream_id, first)
);
create table up_message (               -- what a receipt proves, while it may be asked for
    stream_id       bigint  not null references up_stream (id),
    seq             bigint  not null,
    digest          text    not null,
    size_bytes      integer not null,
    items           integer not null,
    received_ms     bigint  not null,
    primary key (stream_id, seq)
);
create index up_message_received on up_message (received_ms);
create table worker_life (              -- sessions of workers at the broker
    shard           text    not null,
    session         text    not null,
    began_ms        bigint  not null,
    primary key (shard, session)
);

create table box (                      -- each that a commune's items are about
    id              integer generated always as identity primary key,
    commune_id      integer not null references commune (id),
    device          text    not null,
    first_seen_ms   bigint  not null,
    unique (commune_id, device)
);

create table commune_usage (            -- what was taken of it on a day of UTC, and what was refused: quota.py
    commune_id      integer not null references commune (id),
    day             integer not null,   -- since 1970
    size_bytes      bigint  not null,
    items           bigint  not null,
    refused         bigint  not null,   -- envelopes; one that came again is counted again
    refused_bytes   bigint  not null,
    refused_ms      bigint,             -- the latest
    primary key (commune_id, day)
);

create table event (                    -- how each stands: its highest revision
    event_id        text    collate "C" not null,
    commune_id      integer not null references commune (id),
    device          text    not null,
    revision        bigint  not null,
    camera          text    not null,
    kind            text    not null,
    phase           text    not null,
    severity        text    not null,
    label           text,
    rule_id         text    not null,
    direction       text,
    start_ms        bigint  not null,
    time_ms         bigint  not null,
    received_ms     bigint  not null,
    -- From here on as in the station's store: what its console looks for (station/store/schema/events.py).
    box_id          integer not null references box (id),
    first_received_ms bigint not null,  -- by the worker's clock
    rule_kind       text    not null,
    riders          bigint,
    top_score_permille integer,
    zones           text,
    track_id        text,
    end_reason      text,
    detail          text,
    replayed        boolean not null,
    clock_state     text    not null,
    clock_offset_ms bigint,             -- null: that a station put a clock right does not go up
    vehicle_colour  text,
    clothes_colour  text,
    thumbnail_sha256 text,              -- as told; the picture itself stays at the station
    thumbnail_revision bigint,
    scene_sha256    text,
    scene_revision  bigint,
    primary key (event_id, commune_id, device)
) partition by range (event_id);
create index event_commune_start on event (commune_id, device, camera, start_ms);
create index event_label_start on event (label, start_ms);
-- When it began, by all that is known of its box's clock, as the console asks for it.
create index event_place on event ((coalesce(start_ms + clock_offset_ms, start_ms)), box_id, event_id);
create index event_lasting on event ((coalesce(start_ms + clock_offset_ms, start_ms)), box_id, event_id)
    where phase <> 'end' or time_ms - start_ms >= 3600000;
create index event_camera_place on event (box_id, camera, (coalesce(start_ms + clock_offset_ms, start_ms)), event_id);
create index event_label_place on event (label, (coalesce(start_ms + clock_offset_ms, start_ms)));
create index event_kind_place on event (kind, label, (coalesce(start_ms + clock_offset_ms, start_ms)));
create index event_rule_place on event (rule_id, (coalesce(start_ms + clock_offset_ms, start_ms)));
create index event_direction_place on event (direction, (coalesce(start_ms + clock_offset_ms, start_ms))) where direction is not null;
create index event_zones_place on event (substr(zones, 1, 200), (coalesce(start_ms + clock_offset_ms, start_ms))) where zones is not null;
create index event_detail_place on event ((coalesce(start_ms + clock_offset_ms, start_ms)), box_id, event_id) where detail is not null;
create index event_info_place on event (box_id, start_ms) where severity = 'info';
create index event_track on event (track_id) where track_id is not null;
create table event_default partition of event default;

create table event_revision (           -- every message of it that went up, as the box sent it
    event_id        text    collate "C" not null,
    commune_id      integer not null references commune (id),
    device          text    not null,
    revision        bigint  not null,
    stream          text    not null,   -- of the box
    seq             bigint  not null,
    digest          text    not null,
    body            text    not null,
    received_ms     bigint  not null,
    box_id          integer not null references box (id),
    phase           text    not null,
    time_ms         bigint  not null,
    replayed        boolean not null,
    primary key (event_id, commune_id, device, revision)
) partition by range (event_id);
create table event_revision_default partition of event_revision default;

create table seal (                     -- of the boxes, as they came
    at_ms           bigint  not null,
    commune_id      integer not null references commune (id),
    device          text    not null,
    stream          text    not null,
    seq             bigint  not null,
    digest          text    not null,
    body            text    not null,
    received_ms     bigint  not null,
    primary key (at_ms, commune_id, device, stream, seq)
) partition by range (at_ms);
create table seal_default partition of seal default;

create table count_interval (           -- where no sum of an hour says it
    at_ms           bigint  not null,   -- its end
    commune_id      integer not null references commune (id),
    device          text    not null,
    stream          text    not null,
    seq             bigint  not null,
    digest          text    not null,
    body            text    not null,
    received_ms     bigint  not null,
    primary key (at_ms, commune_id, device, stream, seq)
) partition by range (at_ms);
create table count_interval_default partition of count_interval default;

create table count_hour (
    at_ms           bigint  not null,   -- its beginning
    commune_id      integer not null references commune (id),
    device          text    not null,
    camera          text    not null,
    rule            text    not null,
    sums            text    not null,   -- station/counting/hours.py
    said_ms         bigint  not null,
    received_ms     bigint  not null,
    primary key (at_ms, commune_id, device, camera, rule)
) partition by range (at_ms);
create table count_hour_default partition of count_hour default;

create table count_line (               -- each of which an hour came
    commune_id      integer not null references commune (id),
    device          text    not null,
    camera          text    not null,
    rule            text    not null,
    box_id          integer not null references box (id),
    first_ms        bigint  not null,   -- the beginning of its first hour
    last_ms         bigint  not null,   -- and of its last
    primary key (box_id, camera, rule)
);

create table box_state (
    commune_id      integer not null references commune (id),
    device          text    not null,
    state           text,
    state_ms        bigint,
    last_seen_ms    bigint  not null,
    cameras         text    not null,   -- JSON: name -> state, since when
    said_ms         bigint  not null,
    received_ms     bigint  not null,
    primary key (commune_id, device)
);

create table unreadable (
    id              bigint  generated always as identity primary key,
    commune_id      integer not null references commune (id),
    digest          text    not null,
    kind            text    not null,   -- of an item; envelope: the whole
    device          text    not null,
    reason          text    not null,
    raw             bytea   not null,
    received_ms     bigint  not null,
    unique (commune_id, digest)
);
create table conflict (                 -- the same key with other content: the first stays, this one is beside it
    id              bigint  generated always as identity primary key,
    commune_id      integer not null references commune (id),
    key_kind        text    not null,   -- event, seal, count, envelope
    key             text    not null,
    kept_digest     text    not null,
    digest          text    not null,
    raw             bytea   not null,
    received_ms     bigint  not null,
    unique (commune_id, key_kind, key, digest)
);
