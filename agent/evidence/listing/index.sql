-- What lies in the ring, to be read from the segments again, but for `received`, `told` and the rows of `boot`:
-- what the station has, and times that were put right later, are lost with a damaged index. Of `written` what was
-- deleted since is lost.
-- Moments are whole milliseconds; `mono` is the steady clock of the row's boot.

create table segment (
    added          integer primary key,  -- in the order in which they were finished, over all cameras
    camera         text    not null,
    number         integer not null,
    boot           text    not null,
    start_mono_ms  integer not null,
    start_wall_ms  integer not null,     -- as it was known then
    clock          text    not null,     -- who vouched for that
    wall_ms        integer not null,     -- corrected, once the clock of that boot was known
    duration_ms    integer not null,
    bytes          integer not null,
    fragments      integer not null,     -- of its pictures; one more if there is what nobody can read
    before         text    not null,     -- why nothing is recorded between the one before and this one
    unique (camera, number)
) strict;
create index segment_time on segment (camera, wall_ms);

-- Outlives its segment while an older segment of its camera is still there, whose place in the chain it shows.
create table link (
    camera       text    not null,
    number       integer not null,
    body_sha256  text    not null,
    link_sha256  text    not null,
    told         integer not null default 0,  -- the station has been told of it
    primary key (camera, number)
) strict, without rowid;

-- Wall minus steady clock of a boot, once somebody vouched for it.
create table boot (
    boot      text primary key,
    offset_ms integer not null
) strict, without rowid;

-- Fragments that the station has, by its receipts; in the role of enforcement nothing else may be deleted.
-- They go with their segment.
create table received (
    camera   text    not null,
    number   integer not null,
    position integer not null,           -- byte in the segment's file
    receipt  text    not null,
    primary key (camera, number, position)
) strict, without rowid;

-- How much was written on a day, counted in days since 1970.
create table written (
    day   integer primary key,
    bytes integer not null
) strict;
