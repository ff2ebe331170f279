-- What legal holds are asked by whoever destroys something. Until there are any, nothing is held.

-- First in a transaction that destroys: no hold begins before it is through.
create function lock_against_holds() returns void language plpgsql as $$ begin end $$;
create function is_event_held(p_nid bigint) returns boolean language sql stable as $$ select false $$;
create function is_media_held(p_media_id text) returns boolean language sql stable as $$ select false $$;
create function is_user_held(p_user_id text) returns boolean language sql stable as $$ select false $$;
create function is_room_held(p_room_nid bigint) returns boolean language sql stable as $$ select false $$;
