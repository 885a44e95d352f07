-- What the ring believes of the time, by boot (retention/believed.py). Added to an index of before: it lacks it.

create table if not exists boot_clock (
    place      integer primary key,      -- boots in the order in which somebody vouched for their clock
    boot       text    not null unique,
    offset_ms  integer not null,         -- wall minus steady clock, as it is believed
    shown_ms   integer not null,         -- the same as the clock last showed it
    last_ms    integer not null,         -- steady clock of the last look
    stood_ms   integer not null          -- so long what it shows has stood, while it is ahead of what is believed
) strict;
