-- Version 4: footage on request. Its file stays in pieces, as it came: table request_piece.

alter table request add column file_name text;         -- of footage: as the station announced it
alter table request add column file_bytes bigint;
alter table request add column file_sha256 text;
alter table request add column whole_ms bigint;        -- every piece of it is here; complete_ms: and has that hash
create index request_to_check on request (shard, whole_ms) where whole_ms is not null and complete_ms is null;
