-- Version 3: what the province asks of its communes, and the pictures that came by it.

create table request (                  -- written by the console, carried by the shard's worker
    id              text    primary key,
    commune_id      integer not null references commune (id),
    shard           text    not null,   -- for which it is signed
    kind            text    not null,   -- station/uplink/requests/order.py
    body            bytea   not null,   -- as it is signed
    sha256          text    not null,   -- by which its answers know it
    device          text    not null,   -- the box that it is about, or '' of several
    about           text    not null,   -- an event's id; of a span: what was asked, as JSON
    wanted_sha256   text,               -- of a picture
    login           text    not null,
    name            text    not null,
    purpose         text    not null,
    asked_ms        bigint  not null,
    expires_ms      bigint  not null,
    sent_ms         bigint,             -- to the broker, the latest time
    sends           integer not null default 0,
    state           text    not null default 'asked',  -- asked; or the station's word: accepted, refused, failed, done
    number          integer not null default 0,        -- of the station's latest answer
    reason          text,
    said_ms         bigint,             -- by the station's clock
    heard_ms        bigint,
    files           text    not null default '[]',
    counts          text    not null default '{}',
    complete_ms     bigint              -- all that it brings is here
);
create index request_to_send on request (shard, sent_ms) where state = 'asked';
create index request_about on request (commune_id, device, about);
create index request_by on request (login, asked_ms);

create table request_piece (            -- of files that are not whole yet
    request_id      text    not null references request (id) on delete cascade,
    name            text    not null,
    number          integer not null,
    data            bytea   not null,
    received_ms     bigint  not null,
    primary key (request_id, name, number)
);
create index request_piece_received on request_piece (received_ms);

create table picture (                  -- that came on request, by its hash; of each commune its own
    sha256          text    not null,
    commune_id      integer not null references commune (id),
    size_bytes      integer not null,
    data            bytea   not null,
    received_ms     bigint  not null,
    primary key (sha256, commune_id)
);
create index picture_received on picture (received_ms);
