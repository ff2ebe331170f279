-- Holds of a time keep what is of it, and let the rest of their rooms go. What a hold is of is read room by room.

create function span_start(span text) returns bigint language sql stable as $$
  select (extract(epoch from (case when length(span) = 7 then span || '-01' else span end)::date at time zone 'UTC') * 1000)::bigint
$$;

-- Whether a room has anything of a time that a hold is of.
create function has_of_hold(h holds, p_room_nid bigint, p_from bigint, p_until bigint) returns boolean language sql stable as $$
  select exists (
    select from events e
    where e.room_nid = p_room_nid and e.arrival is not null and e.origin_server_ts between p_from and p_until
      and is_hold_of(h, e))
  or exists (
    select from events e
    where e.room_nid = p_room_nid and e.received_ts <> e.origin_server_ts and e.received_ts between p_from and p_until
      and is_hold_of(h, e))
  or exists (
    select from events e
    where e.room_nid = p_room_nid and e.arrival is null and e.origin_server_ts between p_from and p_until
      and is_hold_of(h, e))
$$;

-- Whether a hold may be of anything in a room, whenever that was.
create function may_be_of_room(h holds, p_room_nid bigint) returns boolean language sql stable as $$
  select case
    when h.room_nids is not null then p_room_nid = any(h.room_nids)
    when h.user_ids is not null then exists (
      select from memberships m where m.room_nid = p_room_nid and m.user_id = any(h.user_ids))
    else true end
$$;

-- Whether a room has anything that is held: a hold is of it, of a user who was there, or of a
-- time of which there is something there, by one of its users where it names them.
create or replace function has_held(p_room_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and may_be_of_room(h, p_room_nid) and case
      when h.from_ts is null and h.until_ts is null then true
      else has_of_hold(h, p_room_nid, coalesce(h.from_ts, 0), coalesce(h.until_ts, 9223372036854775807)) end)
$$;

-- Whether a room's key of a span may have sealed anything held: it is the key of when something was sent, or came.
create function is_span_held(p_room_nid bigint, p_span text) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and may_be_of_room(h, p_room_nid) and case
      when h.from_ts is null and h.until_ts is null then true
      else has_of_hold(h, p_room_nid, span_start(p_span), span_end(p_span) - 1) end)
$$;

drop function has_of_time(bigint, bigint, bigint);

-- A key that may have sealed something held. Those of words go: what they sealed is read anew.
create function is_key_held(p_scope text, p_owner text, p_span text) returns boolean language sql stable as $$
  select case
    when p_scope in ('user', 'user-span', 'member') then has_left_held(p_owner) or exists (
      select from holds h join memberships m on m.user_id = p_owner and m.room_nid = any(h.room_nids)
      where h.released_ts is null and h.user_ids is null)
    when p_scope = 'room-span' then exists (
      select from rooms r where r.room_id = p_owner and is_span_held(r.room_nid, p_span))
    when p_scope = 'room-state' then exists (
      select from rooms r where r.room_id = p_owner and has_held(r.room_nid))
    else false end
$$;

create or replace function keep_held_key() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_key_held(old.scope, old.owner, old.span) then return null; end if;
  return old;
end $$;
drop function is_key_held(text, text);

-- The next events that a hold is of, room by room, and in a room along its own indexes: part 0
-- by when they were sent, 1 by when those came that were sent at another time, 2 those without
-- a place in the room. None is needed by who sent what, which would take bytes of every message.
-- It goes on from a place, the last one that it answered; it looks at so many at the most, and
-- where it ends for that, its last row is a place and no event.
create function list_held(
  p_hold text, p_room bigint, p_part integer, p_ts bigint, p_nid bigint, p_limit integer, p_looked integer
) returns table (room_nid bigint, part integer, ts bigint, nid bigint, is_held boolean) language plpgsql stable rows 10 as $$
#variable_conflict use_column
declare
  h holds;
  begins bigint;
  ends bigint;
  after_ts bigint;
  after_nid bigint;
  their_rooms refcursor;
  their_events refcursor;
  listed integer := 0;
  looked integer := 0;
begin
  select * into h from holds where hold_id = p_hold and released_ts is null;
  if not found then return; end if;
  begins := coalesce(h.from_ts, 0);
  ends := coalesce(h.until_ts, 9223372036854775807);
  if h.room_nids is not null then
    open their_rooms for
      select distinct named from unnest(h.room_nids) as named where named >= p_room order by named;
  elsif h.user_ids is not null then
    open their_rooms for
      select distinct m.room_nid from memberships m
      where m.user_id = any(h.user_ids) and m.room_nid >= p_room order by m.room_nid;
  else
    open their_rooms for select r.room_nid from rooms r where r.room_nid >= p_room order by r.room_nid;
  end if;
  loop
    fetch their_rooms into room_nid;
    exit when not found;
    part := case when room_nid = p_room then p_part else 0 end;
    while part <= 2 loop
      if room_nid = p_room and part = p_part then
        after_ts := p_ts;
        after_nid := p_nid;
      else
        after_ts := -1;
        after_nid := 0;
      end if;
      if part = 0 then
        open their_events for
          select e.origin_server_ts, e.nid, is_hold_of(h, e) from events e
          where e.room_nid = list_held.room_nid and e.arrival is not null
            and e.origin_server_ts between greatest(begins, after_ts) and ends
            and (e.origin_server_ts, e.nid) > (after_ts, after_nid)
          order by e.origin_server_ts, e.nid;
      elsif part = 1 then
        open their_events for
          select e.received_ts, e.nid, is_hold_of(h, e) from events e
          where e.room_nid = list_held.room_nid and e.received_ts <> e.origin_server_ts
            and e.received_ts between greatest(begins, after_ts) and ends
            and not e.origin_server_ts between begins and ends
            and (e.received_ts, e.nid) > (after_ts, after_nid)
          order by e.received_ts, e.nid;
      else
        open their_events for
          select e.origin_server_ts, e.nid, is_hold_of(h, e) from events e
          where e.room_nid = list_held.room_nid and e.arrival is null and e.origin_server_ts between begins and ends
            and (e.origin_server_ts, e.nid) > (after_ts, after_nid)
          order by e.origin_server_ts, e.nid;
      end if;
      loop
        fetch their_events into ts, nid, is_held;
        exit when not found;
        looked := looked + 1;
        listed := listed + is_held::integer;
        if is_held then return next; end if;
        if listed >= p_limit then return; end if;
        if looked >= p_looked then
          is_held := false;
          return next;
          return;
        end if;
      end loop;
      close their_events;
      part := part + 1;
    end loop;
    looked := looked + 1;
    if looked >= p_looked then
      ts := 0;
      nid := 0;
      is_held := false;
      return next;
      return;
    end if;
  end loop;
end $$;
