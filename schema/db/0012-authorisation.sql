-- Who may do what: roles, who holds them within which scope, groups, and tokens that
-- carry a part of somebody's permissions.

-- The database's time in milliseconds: what expires does so by it, in every process at once.
create function database_ms() returns bigint language sql stable as $$
  select (extract(epoch from statement_timestamp()) * 1000)::bigint
$$;

-- One row. Whoever changes who may do what has read it, and loses where it moved meanwhile:
-- so the rules hold for what is true when it commits.
create table authority (
  is_only boolean primary key default true check (is_only),
  version bigint not null default 0,
  -- From when on there is no owner, and none can be made.
  sealed_ts bigint
);
select set_column_classes('authority', '{"is_only": "flag", "version": "number", "sealed_ts": "time"}');
insert into authority default values;

-- The built-in ones are in the program.
create table custom_roles (
  role_id text collate "C" primary key,
  description text not null,
  permissions text[] not null,
  -- What its permissions are for; a person is on one of the sides.
  side text collate "C" not null check (side in ('shared', 'operations', 'security', 'audit')),
  created_by text collate "C" not null,
  changed_ts bigint not null
);
select set_column_classes('custom_roles', '{"role_id": "setting", "description": "setting", "permissions": "setting", "side": "setting", "created_by": "id", "changed_ts": "time"}');

create table role_bindings (
  binding_id bigint primary key,
  user_id text collate "C" not null,
  role_id text collate "C" not null,
  scope_kind text collate "C" not null check (scope_kind in ('server', 'group', 'space', 'room', 'users')),
  -- A group, a space or a room; else ''.
  scope_id text collate "C" not null default '',
  expires_ts bigint,
  reason text not null,
  granted_by text collate "C" not null,
  granted_ts bigint not null
);
select set_column_classes('role_bindings', '{"binding_id": "number", "user_id": "id", "role_id": "setting", "scope_kind": "setting", "scope_id": "id", "expires_ts": "time", "reason": "setting", "granted_by": "id", "granted_ts": "time"}');
create index role_bindings_by_user on role_bindings (user_id);
create index role_bindings_by_role on role_bindings (role_id);
create index role_bindings_by_scope on role_bindings (scope_kind, scope_id);

-- Whom a binding of the scope `users` is for.
create table binding_users (
  binding_id bigint not null references role_bindings on delete cascade,
  user_id text collate "C" not null,
  primary key (binding_id, user_id)
);
select set_column_classes('binding_users', '{"binding_id": "number", "user_id": "id"}');
create index binding_users_by_user on binding_users (user_id);

create table user_groups (
  group_id text collate "C" primary key,
  description text not null,
  created_by text collate "C" not null,
  created_ts bigint not null
);
select set_column_classes('user_groups', '{"group_id": "setting", "description": "setting", "created_by": "id", "created_ts": "time"}');

create table user_group_members (
  group_id text collate "C" not null references user_groups on delete cascade,
  user_id text collate "C" not null,
  added_by text collate "C" not null,
  added_ts bigint not null,
  primary key (group_id, user_id)
);
select set_column_classes('user_group_members', '{"group_id": "setting", "user_id": "id", "added_by": "id", "added_ts": "time"}');
create index user_group_members_by_user on user_group_members (user_id);

create table admin_tokens (
  token_id bigint primary key,
  token_hash bytea not null unique,
  user_id text collate "C" not null,
  name text not null,
  permissions text[] not null,
  -- Where it may be used from; empty for anywhere.
  networks text[] not null,
  expires_ts bigint not null,
  created_ts bigint not null
);
select set_column_classes('admin_tokens', '{"token_id": "number", "token_hash": "hash", "user_id": "id", "name": "setting", "permissions": "setting", "networks": "setting", "expires_ts": "time", "created_ts": "time"}');
create index admin_tokens_by_user on admin_tokens (user_id);

-- The rows of a batch that say who may do what.
create function store_authority(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
begin
  delete from role_bindings using jsonb_to_recordset(coalesce(p_rows->'removed_role_bindings', '[]')) as r(w int, binding_id bigint)
  where role_bindings.binding_id = r.binding_id and starts[r.w + 1] is not null;

  -- A scope that is gone must not come back with the next one of its name.
  delete from role_bindings using jsonb_to_recordset(coalesce(p_rows->'removed_groups', '[]')) as r(w int, group_id text)
  where role_bindings.scope_kind = 'group' and role_bindings.scope_id = r.group_id and starts[r.w + 1] is not null;
  delete from user_groups using jsonb_to_recordset(coalesce(p_rows->'removed_groups', '[]')) as r(w int, group_id text)
  where user_groups.group_id = r.group_id and starts[r.w + 1] is not null;

  delete from role_bindings using jsonb_to_recordset(coalesce(p_rows->'removed_custom_roles', '[]')) as r(w int, role_id text)
  where role_bindings.role_id = r.role_id and starts[r.w + 1] is not null;
  delete from custom_roles using jsonb_to_recordset(coalesce(p_rows->'removed_custom_roles', '[]')) as r(w int, role_id text)
  where custom_roles.role_id = r.role_id and starts[r.w + 1] is not null;

  insert into custom_roles (role_id, description, permissions, side, created_by, changed_ts)
  select role_id, description, permissions, side, created_by, changed_ts
  from jsonb_to_recordset(coalesce(p_rows->'custom_roles', '[]'))
    as r(w int, role_id text, description text, permissions text[], side text, created_by text, changed_ts bigint)
  where starts[r.w + 1] is not null
  on conflict (role_id) do update set description = excluded.description, permissions = excluded.permissions,
    side = excluded.side, changed_ts = excluded.changed_ts;

  insert into user_groups (group_id, description, created_by, created_ts)
  select group_id, description, created_by, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'groups', '[]'))
    as r(w int, group_id text, description text, created_by text, created_ts bigint)
  where starts[r.w + 1] is not null;

  delete from user_group_members using jsonb_to_recordset(coalesce(p_rows->'removed_group_members', '[]')) as r(w int, group_id text, user_id text)
  where (user_group_members.group_id, user_group_members.user_id) = (r.group_id, r.user_id) and starts[r.w + 1] is not null;
  insert into user_group_members (group_id, user_id, added_by, added_ts)
  select group_id, user_id, added_by, added_ts
  from jsonb_to_recordset(coalesce(p_rows->'group_members', '[]'))
    as r(w int, group_id text, user_id text, added_by text, added_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  insert into role_bindings (binding_id, user_id, role_id, scope_kind, scope_id, expires_ts, reason, granted_by, granted_ts)
  select binding_id, user_id, role_id, scope_kind, scope_id, expires_ts, reason, granted_by, granted_ts
  from jsonb_to_recordset(coalesce(p_rows->'role_bindings', '[]'))
    as r(w int, binding_id bigint, user_id text, role_id text, scope_kind text, scope_id text, expires_ts bigint,
      reason text, granted_by text, granted_ts bigint)
  where starts[r.w + 1] is not null;
  insert into binding_users (binding_id, user_id)
  select distinct r.binding_id, named
  from jsonb_to_recordset(coalesce(p_rows->'role_bindings', '[]')) as r(w int, binding_id bigint, users text[]),
    unnest(r.users) as named
  where starts[r.w + 1] is not null;

  delete from admin_tokens using jsonb_to_recordset(coalesce(p_rows->'removed_admin_tokens', '[]')) as r(w int, token_id bigint)
  where admin_tokens.token_id = r.token_id and starts[r.w + 1] is not null;
  insert into admin_tokens (token_id, token_hash, user_id, name, permissions, networks, expires_ts, created_ts)
  select token_id, token_hash, user_id, name, permissions, networks,
    least(expires_ts, database_ms() + 30 * 86400000::bigint), created_ts
  from jsonb_to_recordset(coalesce(p_rows->'admin_tokens', '[]'))
    as r(w int, token_id bigint, token_hash bytea, user_id text, name text, permissions text[], networks text[],
      expires_ts bigint, created_ts bigint)
  where starts[r.w + 1] is not null;

  -- What somebody had who has no account any more.
  delete from role_bindings using jsonb_to_recordset(coalesce(p_rows->'cleared_users', '[]')) as r(w int, user_id text)
  where role_bindings.user_id = r.user_id and starts[r.w + 1] is not null;
  delete from binding_users using jsonb_to_recordset(coalesce(p_rows->'cleared_users', '[]')) as r(w int, user_id text)
  where binding_users.user_id = r.user_id and starts[r.w + 1] is not null;
  delete from user_group_members using jsonb_to_recordset(coalesce(p_rows->'cleared_users', '[]')) as r(w int, user_id text)
  where user_group_members.user_id = r.user_id and starts[r.w + 1] is not null;
  delete from admin_tokens using jsonb_to_recordset(coalesce(p_rows->'cleared_users', '[]')) as r(w int, user_id text)
  where admin_tokens.user_id = r.user_id and starts[r.w + 1] is not null;

  if exists (
    select from jsonb_to_recordset(coalesce(p_rows->'authority', '[]')) as r(w int) where starts[r.w + 1] is not null)
  then
    update authority set version = version + 1;
    -- Who holds these for good ends the set-up, and the owner with it.
    update authority set sealed_ts = p_now where sealed_ts is null and (
      select count(distinct role_id) from role_bindings
      where role_id in ('security-admin', 'system-admin') and scope_kind = 'server' and expires_ts is null) = 2;
    delete from role_bindings where role_id = 'owner' and (select sealed_ts from authority) is not null;
  end if;
end $$;
