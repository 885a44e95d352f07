-- Version 5: what boxes, cameras, zones and rules are called.

create table box_title (
    commune_id      integer not null references commune (id),
    device          text    not null,
    titles          jsonb   not null,   -- by the camera's name: station/uplink/titles.py
    size_bytes      integer not null,   -- of these as they were said
    said_ms         bigint  not null,
    received_ms     bigint  not null,
    primary key (commune_id, device)
);
