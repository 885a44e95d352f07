-- The outbox of one box: what the station has not committed yet. Version 2 (pragma user_version).
-- Opened with WAL and synchronous = FULL; the meaning of each class is in message.py, the promises in outbox.py.

pragma application_id = 1852268916;      -- "ngat": tells our file from anyone else's
pragma user_version = 2;

-- One row: the life of this file.
create table life (
    one         integer primary key check (one = 1),
    stream      text    not null,        -- UUIDv7; seq counts within it
    next_seq    integer not null,        -- what the next message gets; never falls, so no seq is used twice
    replaced    integer not null,        -- updates that a newer message of their event took the place of
    damaged     integer not null,        -- files set aside before this one, because they could not be read
    running     integer not null,        -- 1: someone has it open, so its log must be there at the next start
    version     integer not null,        -- as user_version: a bit that flips in one of them is noticed
    seal_stream text,                    -- the newest seal: its stream (of the first seal: the one before), …
    seal_number integer,                 -- … its number, …
    seal_sha256 blob                     -- … and the hash of its body; null: there is none
) strict;

-- One row per boot of the box that some waiting message still refers to.
create table boot (
    id          integer primary key,
    boot_id     text    not null         -- of the kernel: monotonic times compare only within one boot
) strict;

-- What waits to be sent, or was sent and has no receipt.
create table message (
    seq         integer primary key,
    priority    integer not null,        -- class: 0 event, 1 count, 2 update, 3 alert image, 4 image, 5 evidence
    cost_bytes  integer not null,        -- what it takes of the outbox's bound, rounded up to whole pages
    boot        integer not null references boot (id), -- of the put
    put_mono_s  real    not null,
    put_wall_s  real    not null,
    at_mono_s   real    not null,        -- when the thing happened
    at_wall_s   real    not null,
    topic       text    not null,        -- below the device
    content_type text   not null,
    event_id    text,
    revision    integer not null,
    opens       integer not null,        -- 1: a start or an update
    closes      integer not null,        -- 1: an end
    sha256      blob    not null,        -- of body
    crc         integer not null,        -- of seq, the other columns and sha256: salvage believes no flipped bit
    body        blob    not null         -- last, so that reading the rest never touches its overflow pages
) strict;

-- The order of sending and of eviction, and the sums at the start, without reading a single body.
create index message_by_class on message (priority, seq, cost_bytes);

-- What can never be delivered as it is: too large for the broker, or a connection died of it again and again.
create table quarantine (
    seq         integer primary key,
    priority    integer not null,
    cost_bytes  integer not null,
    boot        integer not null references boot (id), -- of the put
    put_mono_s  real    not null,
    put_wall_s  real    not null,
    at_mono_s   real    not null,
    at_wall_s   real    not null,
    topic       text    not null,
    content_type text   not null,
    event_id    text,
    revision    integer not null,
    opens       integer not null,
    closes      integer not null,
    sha256      blob    not null,
    crc         integer not null,
    body        blob    not null,
    reason      text    not null         -- in words, for the technician
) strict;

-- The latest message of each event that has begun and not ended: closed by the next start of the agent.
create table open_event (
    event_id    text    primary key,
    priority    integer not null,
    at_mono_s   real    not null,
    at_wall_s   real    not null,
    topic       text    not null,
    content_type text   not null,
    revision    integer not null,
    body        blob    not null
) strict;

-- What was evicted because the outbox was full: never silent.
create table loss (
    priority    integer primary key,
    messages    integer not null,
    bytes       integer not null
) strict;

-- What no seal lists yet. Rows of messages that may still change stay here until they cannot.
create table unsealed (
    seq         integer primary key,
    sha256      blob    not null
) strict;

-- What was evicted, or dropped by hand, and no seal has told yet.
create table given_up (
    seq         integer primary key
) strict;

-- What went over the broker's link since the day began, for the budgets of a metered link.
create table spent (
    priority    integer primary key,
    day         text    not null,
    bytes       integer not null
) strict;
