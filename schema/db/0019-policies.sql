-- Policies: who may do what by what is known of them, of what they act on, and of how they come.

-- A policy is known by its name; one of its versions may be in force.
create table policies (
  policy_id text collate "C" primary key,
  active_version integer,
  activated_by text collate "C",
  activated_ts bigint
);
select set_column_classes('policies', '{"policy_id": "setting", "active_version": "number", "activated_by": "id", "activated_ts": "time"}');

-- What was written stays as it is: another text is another version.
create table policy_versions (
  policy_id text collate "C" not null references policies on delete cascade,
  version integer not null,
  -- JSON.
  document text not null,
  author text collate "C" not null,
  created_ts bigint not null,
  primary key (policy_id, version)
);
select set_column_classes('policy_versions', '{"policy_id": "setting", "version": "number", "document": "setting", "author": "id", "created_ts": "time"}');

-- When which version was in force, in order; null for none.
create table policy_activations (
  activation_id bigint generated always as identity primary key,
  policy_id text collate "C" not null references policies on delete cascade,
  version integer,
  activated_by text collate "C" not null,
  activated_ts bigint not null
);
select set_column_classes('policy_activations', '{"activation_id": "number", "policy_id": "setting", "version": "number", "activated_by": "id", "activated_ts": "time"}');
create index policy_activations_by_policy on policy_activations (policy_id, activation_id);

-- What administrators say of users and rooms, as a JSON object.
create table user_attributes (
  user_id text collate "C" primary key,
  attributes text not null,
  set_by text collate "C" not null,
  set_ts bigint not null
);
select set_column_classes('user_attributes', '{"user_id": "id", "attributes": "setting", "set_by": "id", "set_ts": "time"}');

create table room_attributes (
  room_nid bigint primary key,
  attributes text not null,
  set_by text collate "C" not null,
  set_ts bigint not null
);
select set_column_classes('room_attributes', '{"room_nid": "number", "attributes": "setting", "set_by": "id", "set_ts": "time"}');

-- Which rooms were withheld from a user when a token was given out that names the set.
create table withheld_rooms (
  user_id text collate "C" not null,
  digest text collate "C" not null,
  room_nids bigint[] not null,
  used_ts bigint not null,
  primary key (user_id, digest)
);
select set_column_classes('withheld_rooms', '{"user_id": "id", "digest": "hash", "room_nids": "number", "used_ts": "time"}');

-- The rows of a batch that say what policies there are, and what they go by.
create function store_policies(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into policies (policy_id)
  select distinct policy_id from jsonb_to_recordset(coalesce(p_rows->'policy_versions', '[]')) as r(w int, policy_id text)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  insert into policy_versions (policy_id, version, document, author, created_ts)
  select policy_id, version, document, author, p_now
  from jsonb_to_recordset(coalesce(p_rows->'policy_versions', '[]'))
    as r(w int, policy_id text, version int, document text, author text)
  where starts[r.w + 1] is not null;

  update policies set active_version = r.version, activated_by = r.activated_by, activated_ts = p_now
  from jsonb_to_recordset(coalesce(p_rows->'policy_activations', '[]'))
    as r(w int, policy_id text, version int, activated_by text)
  where policies.policy_id = r.policy_id and starts[r.w + 1] is not null;
  insert into policy_activations (policy_id, version, activated_by, activated_ts)
  select policy_id, version, activated_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'policy_activations', '[]'))
    as r(w int, policy_id text, version int, activated_by text)
  where starts[r.w + 1] is not null;

  insert into user_attributes (user_id, attributes, set_by, set_ts)
  select distinct on (user_id) user_id, attributes, set_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'user_attributes', '[]'))
    as r(w int, user_id text, attributes text, set_by text)
  where starts[r.w + 1] is not null
  order by user_id, w desc
  on conflict (user_id) do update set attributes = excluded.attributes, set_by = excluded.set_by, set_ts = excluded.set_ts;
  insert into room_attributes (room_nid, attributes, set_by, set_ts)
  select distinct on (room_nid) room_nid, attributes, set_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'room_attributes', '[]'))
    as r(w int, room_nid bigint, attributes text, set_by text)
  where starts[r.w + 1] is not null
  order by room_nid, w desc
  on conflict (room_nid) do update set attributes = excluded.attributes, set_by = excluded.set_by, set_ts = excluded.set_ts;
  -- A room that replaces another is what that one is at this moment.
  insert into room_attributes (room_nid, attributes, set_by, set_ts)
  select r.room_nid, a.attributes, a.set_by, a.set_ts
  from jsonb_to_recordset(coalesce(p_rows->'inherited_attributes', '[]'))
    as r(w int, room_nid bigint, from_room_nid bigint)
  join room_attributes a on a.room_nid = r.from_room_nid
  where starts[r.w + 1] is not null
  on conflict do nothing;
end $$;
