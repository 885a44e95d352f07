-- What the console of the province reads: views in the shape of a station's tables, made anew at each start.
-- A box is called COMMUNE.BOX, for two communes may have boxes of one name; no name has a dot.
-- Who may see which commune stands in ngatu.communes of the transaction: names, or * for all. Without it: none.

create view seen.open_commune as
select id, name, shard, state, state_ms, last_seen_ms, first_seen_ms,
    (select max(refused_ms) from commune_usage where commune_id = commune.id) as refused_ms from commune
where current_setting('ngatu.communes', true) = '*'
    or name = any (string_to_array(current_setting('ngatu.communes', true), ' '));

create view seen.box as
select box.id, open_commune.name as commune, open_commune.name || '.' || box.device as device,
    box.first_seen_ms, coalesce(box_state.last_seen_ms, box.first_seen_ms) as last_seen_ms,
    box_state.state, null::text as state_session, box_state.state_ms,
    -- As a birth message has it: the place, cameras that have spoken, their zones and rules that have titles.
    -- What else a box tells of itself does not go up.
    (select jsonb_build_object('location', titles -> 'location', 'cameras', jsonb_agg(
            coalesce(titles -> 'cameras' -> name, jsonb_build_object('id', name)) order by name))::text
        from jsonb_object_keys(box_state.cameras::jsonb) as name) as info,
    null::bigint as info_ms, null::text as health, null::bigint as health_ms
from box join seen.open_commune on open_commune.id = box.commune_id
left join box_state on box_state.commune_id = box.commune_id and box_state.device = box.device
left join box_title on box_title.commune_id = box.commune_id and box_title.device = box.device;

create view seen.camera as
select box.id as box_id, said.key as name, said.value ->> 0 as state, (said.value ->> 1)::bigint as since_ms,
    ''::text as body, box_state.received_ms
from box join box_state on box_state.commune_id = box.commune_id and box_state.device = box.device
cross join lateral jsonb_each(box_state.cameras::jsonb) as said
where box.commune_id = any (array(select id from seen.open_commune));

create view seen.event as
select box_id, event_id, revision, camera, kind, phase, severity, start_ms, time_ms, rule_id, rule_kind, label,
    riders, top_score_permille, zones, track_id, direction, end_reason, detail, replayed, clock_state,
    null::text as boot_id, null::bigint as mono_ms, clock_offset_ms,
    thumbnail_sha256, thumbnail_revision, scene_sha256, scene_revision, first_received_ms, received_ms,
    null::bigint as settled_ms, vehicle_colour, clothes_colour
from event where commune_id = any (array(select id from seen.open_commune));

create view seen.event_revision as
select box_id, event_id, revision, null::integer as stream_id, seq, phase, time_ms, replayed, digest, body,
    received_ms
from event_revision where commune_id = any (array(select id from seen.open_commune));

create view seen.count_hour as
select box.id as box_id, count_hour.camera, count_hour.rule, count_hour.at_ms as hour_ms,
    count_hour.sums as body, null::bigint as due_ms
from count_hour join box on box.commune_id = count_hour.commune_id and box.device = count_hour.device
where box.commune_id = any (array(select id from seen.open_commune));

-- Intervals stay at the station. Of each line two without length and without a count stand here, where its first
-- and its last hour begin: by these a console knows which lines there are, and they say nothing else.
create view seen.count_interval as
select null::integer as stream_id, null::bigint as seq, box_id, camera, rule, at_ms as start_ms, at_ms as end_ms,
    '{}'::text as body, at_ms as received_ms, 'ntp'::text as clock_state, null::text as boot_id,
    null::bigint as mono_ms, null::bigint as clock_offset_ms
from count_line cross join lateral (values (first_ms), (last_ms)) as ends (at_ms)
where commune_id = any (array(select id from seen.open_commune));

-- Pictures that came on request, where a station's console looks for those that boxes sent.
create view seen.blob as
select sha256, size_bytes, min(received_ms) as received_ms, null::integer as segment, null::bigint as segment_offset
from picture where commune_id = any (array(select id from seen.open_commune)) group by sha256, size_bytes;

-- In the columns of a station's: of none of these a box says that it was ordered, or of which event it is.
create view seen.picture as
select null::integer as box_id, null::text as event_id, null::text as kind, sha256, null::text as camera, received_ms,
    null::bigint as blob_received_ms, data
from picture where commune_id = any (array(select id from seen.open_commune));

-- What was asked of communes, and what they answered.
create view seen.request as
select id, commune_id, kind, device, about, wanted_sha256, login, name, purpose, asked_ms, expires_ms, sent_ms, state,
    reason, said_ms, heard_ms, counts, complete_ms, file_name, file_bytes, file_sha256, whole_ms
from request where commune_id = any (array(select id from seen.open_commune));

-- Footage that came on request, in the pieces in which it came.
create view seen.request_piece as
select request_id, request_piece.number, data from request_piece join request on request.id = request_id
where kind = 'footage' and commune_id = any (array(select id from seen.open_commune));

-- By this the console puts down what somebody asks, in the transaction of its log; it reads nothing by it.
drop view if exists seen.request_form;
create view seen.request_form as
select id, commune_id, shard, kind, body, sha256, device, about, wanted_sha256, login, name, purpose, asked_ms,
    expires_ms from request;
