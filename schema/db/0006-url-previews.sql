-- What pages say of themselves, kept for who asks next; and proofs of who somebody is, for widgets.

create table url_previews (
  -- Keyed: an address says what people talk about.
  url_hash bytea not null,
  fetched_ts bigint not null,
  -- Until then it is told of this time; later ones are fetched anew.
  expires_ts bigint not null,
  -- The page could not be read.
  is_failure boolean not null,
  -- Its image, which goes with it.
  media_id text collate "C",
  -- Sealed under a key as that user's files are who asked first.
  key_id bigint not null,
  sealed bytea not null,
  primary key (url_hash, fetched_ts)
);
select set_column_classes('url_previews', '{"url_hash": "hash", "fetched_ts": "time", "expires_ts": "time", "is_failure": "flag", "media_id": "id", "key_id": "number", "sealed": "sealed"}');
create index url_previews_by_age on url_previews (fetched_ts);
create index url_previews_by_key on url_previews (key_id) where key_id <> 0;

-- Who is fetching a page just now, so that the others wait for it.
create unlogged table url_preview_fetches (
  url_hash bytea primary key,
  holder uuid not null,
  expires_ts timestamptz not null
);
select set_column_classes('url_preview_fetches', '{"url_hash": "hash", "holder": "number", "expires_ts": "time"}');

-- They end with the device that asked for them.
create table openid_tokens (
  token_hash bytea primary key,
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  expires_ts bigint not null,
  foreign key (user_id, device_id) references devices on delete cascade
);
select set_column_classes('openid_tokens', '{"token_hash": "hash", "user_id": "id", "device_id": "id", "expires_ts": "time"}');
create index openid_tokens_by_device on openid_tokens (user_id, device_id);
create index openid_tokens_by_end on openid_tokens (expires_ts);
