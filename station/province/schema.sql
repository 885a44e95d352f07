-- The province's tables, version 1. A step that was released is never changed; the next is a file of its own.
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
    primary key (event_id, commune_id, device)
) partition by range (event_id);
create index event_start on event (start_ms);
create index event_commune_start on event (commune_id, device, camera, start_ms);
create index event_label_start on event (label, start_ms);
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
