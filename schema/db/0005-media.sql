-- Files that people upload. A medium is an mxc id; a blob is what stands in the
-- store for it. Equal files of one uploader share a blob, those of two never do.

create table media_blobs (
  blob_id text collate "C" primary key,
  user_id text collate "C" not null,
  -- 'writing' before its bytes are there, so that a crash leaves no bytes without a row;
  -- 'dropped' until the bytes are gone.
  state text collate "C" not null check (state in ('writing', 'stored', 'dropped')),
  -- Keyed by its uploader. Null for thumbnails, which are not shared.
  hash bytea,
  size bigint,
  -- What its first bytes say that it is.
  content_type text collate "C",
  is_sealed boolean not null,
  -- A thumbnail: of which blob, and which one.
  origin_blob_id text collate "C",
  variant text collate "C",
  -- Who writes it moves this on; past it, or dropped, the bytes belong to nobody.
  expires_ts timestamptz
);
select set_column_classes('media_blobs', '{"blob_id": "number", "user_id": "id", "state": "setting", "hash": "hash", "size": "number", "content_type": "protocol", "is_sealed": "flag", "origin_blob_id": "number", "variant": "protocol", "expires_ts": "time"}');
create index media_blobs_by_hash on media_blobs (user_id, hash) where state = 'stored' and hash is not null;
create unique index media_blobs_variants on media_blobs (origin_blob_id, variant) where state = 'stored' and origin_blob_id is not null;
create index media_blobs_dropped on media_blobs (origin_blob_id) where state = 'dropped' and origin_blob_id is not null;
create index media_blobs_by_end on media_blobs (expires_ts) where state <> 'stored';

create table media (
  media_id text collate "C" primary key,
  user_id text collate "C" not null,
  -- Null while nothing was uploaded to it yet.
  blob_id text collate "C" references media_blobs,
  created_ts bigint not null,
  -- Until when something may be uploaded to it.
  expires_ts bigint,
  -- As the uploader said.
  content_type text collate "C",
  -- Uploaded while downloads without authentication were open: they may be had so still.
  is_legacy boolean not null,
  -- What the scanner said: null, 'clean' or 'refused'.
  scan text collate "C" check (scan in ('clean', 'refused')),
  -- The administrator who withholds it from everybody.
  quarantined_by text collate "C",
  -- Nobody quarantines it, and it goes with nothing else that goes.
  is_protected boolean not null default false,
  -- When it was had last, to a day; null for not since the day it came.
  last_access_ts bigint,
  -- Sealed under the uploader's key of the month: {"secret", "name"}, the file's key and its name.
  key_id bigint not null,
  sealed bytea
);
select set_column_classes('media', '{"media_id": "id", "user_id": "id", "blob_id": "number", "created_ts": "time", "expires_ts": "time", "content_type": "protocol", "is_legacy": "flag", "scan": "flag", "quarantined_by": "id", "is_protected": "flag", "last_access_ts": "time", "key_id": "number", "sealed": "sealed"}');
create index media_by_blob on media (blob_id) where blob_id is not null;
create index media_by_user on media (user_id, created_ts);
-- Whether a key of a month still opens anything.
create index media_by_key on media (key_id) where key_id <> 0;
create index media_pending_by_user on media (user_id, expires_ts) where blob_id is null;
create index media_pending_by_end on media (expires_ts) where blob_id is null;

-- Bytes in the store for each user, thumbnails not counted.
create table media_usage (
  user_id text collate "C" primary key,
  bytes bigint not null
);
select set_column_classes('media_usage', '{"user_id": "id", "bytes": "number"}');

-- Which events, not encrypted ones, name a medium of ours.
create table media_references (
  nid bigint not null,
  media_id text collate "C" not null,
  primary key (nid, media_id)
);
select set_column_classes('media_references', '{"nid": "number", "media_id": "id"}');
create index media_references_by_medium on media_references (media_id);

-- Whether somebody's own settings name it, as packs of emoji do.
create function is_in_settings(p_media text) returns boolean language sql stable as $$
  select exists (select from account_data a where a.media_ids <> '{}' and a.media_ids @> array[p_media])
$$;

-- Whether anything names it: an event, a profile or somebody's settings.
create function is_named(p_media text) returns boolean language sql stable as $$
  select exists (select from media_references r where r.media_id = p_media)
    or exists (select from profile_fields p where p.media_id = p_media) or is_in_settings(p_media)
$$;

-- A new id to upload to. Answers null, or when the first of too many others ends.
-- One after the other for each user, so that their number holds.
create function create_pending_medium(
  p_media_id text, p_user_id text, p_now bigint, p_expires bigint, p_most integer, p_is_legacy boolean
) returns bigint language plpgsql as $$
declare
  others bigint;
  soonest bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('myelin pending media ' || p_user_id, 0));
  select count(*), min(expires_ts) into others, soonest
  from media where user_id = p_user_id and blob_id is null and expires_ts > p_now;
  if others >= p_most then return soonest; end if;
  insert into media (media_id, user_id, created_ts, expires_ts, is_legacy, key_id)
  values (p_media_id, p_user_id, p_now, p_expires, p_is_legacy, 0);
  return null;
end $$;

-- Ties a medium to the bytes that were written for it, or to those of an equal file
-- (p_shared), and answers 'stored'; or why not: 'taken' (it has content, or is not
-- theirs), 'expired' (who wrote was taken for dead), 'key' (destroyed), 'unshared'
-- (the equal one is gone), 'quota'. Lock order: medium, blobs, key, usage.
create function store_medium(
  p_media_id text, p_is_pending boolean, p_user_id text, p_blob_id text, p_shared_id text,
  p_size bigint, p_hash bytea, p_sniffed text, p_content_type text, p_is_legacy boolean,
  p_key_id bigint, p_sealed bytea, p_quota bigint, p_now bigint
) returns text language plpgsql as $$
begin
  if p_is_pending then
    perform from media
    where media_id = p_media_id and user_id = p_user_id and blob_id is null and expires_ts > p_now for update;
    if not found then return 'taken'; end if;
  end if;
  perform from media_blobs where blob_id = p_blob_id and state = 'writing' for update;
  if not found then return 'expired'; end if;
  if p_shared_id is not null then
    perform from media_blobs where blob_id = p_shared_id and state = 'stored' for share;
    if not found then return 'unshared'; end if;
  end if;
  if p_key_id <> 0 then
    perform from keys where key_id = p_key_id for key share;
    if not found then return 'key'; end if;
  end if;

  if p_shared_id is not null then
    update media_blobs set state = 'dropped', expires_ts = clock_timestamp() where blob_id = p_blob_id;
  else
    insert into media_usage as held (user_id, bytes)
    select p_user_id, p_size where p_quota is null or p_size <= p_quota
    on conflict (user_id) do update set bytes = held.bytes + excluded.bytes
      where p_quota is null or held.bytes + excluded.bytes <= p_quota;
    if not found then return 'quota'; end if;
    update media_blobs set state = 'stored', hash = p_hash, size = p_size, content_type = p_sniffed, expires_ts = null
    where blob_id = p_blob_id;
  end if;
  if p_is_pending then
    update media set blob_id = coalesce(p_shared_id, p_blob_id), content_type = p_content_type,
      is_legacy = p_is_legacy, key_id = p_key_id, sealed = p_sealed
    where media_id = p_media_id;
  else
    insert into media (media_id, user_id, blob_id, created_ts, content_type, is_legacy, key_id, sealed)
    values (p_media_id, p_user_id, coalesce(p_shared_id, p_blob_id), p_now, p_content_type, p_is_legacy, p_key_id, p_sealed);
  end if;
  return 'stored';
end $$;

-- Whoever deletes a medium need not think of its bytes: they go with the last one.
create function drop_unused_blob() returns trigger language plpgsql as $$
declare
  freed record;
begin
  if old.blob_id is null then return null; end if;
  -- Of two who delete the last two at once, the second one sees what the first has left.
  select user_id, size into freed from media_blobs where blob_id = old.blob_id and state = 'stored' for update;
  if not found or exists (select from media where blob_id = old.blob_id) then return null; end if;
  update media_blobs set state = 'dropped', expires_ts = clock_timestamp()
  where state = 'stored' and (blob_id = old.blob_id or origin_blob_id = old.blob_id);
  update media_usage set bytes = greatest(0, bytes - freed.size) where user_id = freed.user_id;
  return null;
end $$;
create trigger media_drop_unused_blob after delete on media for each row execute function drop_unused_blob();
