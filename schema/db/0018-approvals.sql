-- What administrators ask a second person for, and what became of it.

create table approvals (
  approval_id text collate "C" primary key,
  requested_by text collate "C" not null,
  -- Of all that was asked for, keyed by the key of who asks: passwords can be guessed.
  request_hash text collate "C" not null,
  permissions text[] not null,
  -- Whom and which room it is about, where it names one.
  user_id text collate "C",
  room_id text collate "C",
  state text collate "C" not null check (state in ('pending', 'approved', 'denied', 'withdrawn', 'used', 'void', 'expired')),
  requested_ts bigint not null,
  -- Until then it waits for somebody; once it is approved, to be used.
  expires_ts bigint not null,
  decided_by text collate "C",
  decided_ts bigint,
  comment text,
  used_ts bigint,
  -- Why it cannot wait for whoever might approve it, by who asks; then it takes anybody else.
  glass_reason text,
  is_break_glass boolean not null default false,
  reviewed_by text collate "C",
  reviewed_ts bigint,
  review text,
  key_id bigint not null,
  -- What was asked for, without its secrets.
  sealed bytea not null
);
select set_column_classes('approvals', '{"approval_id": "id", "requested_by": "id", "request_hash": "hash", "permissions": "setting", "user_id": "id", "room_id": "id", "state": "setting", "requested_ts": "time", "expires_ts": "time", "decided_by": "id", "decided_ts": "time", "comment": "setting", "used_ts": "time", "glass_reason": "setting", "is_break_glass": "flag", "reviewed_by": "id", "reviewed_ts": "time", "review": "setting", "key_id": "number", "sealed": "sealed"}');
-- One waits for each request of somebody, however often it is sent.
create unique index approvals_pending on approvals (requested_by, request_hash) where state = 'pending';
create index approvals_by_request on approvals (requested_by, request_hash, requested_ts);
create index approvals_by_time on approvals (requested_ts);

-- The rows of a batch that use approvals and decide of them; they are locked and held against what they were.
create function store_approvals(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  update approvals set state = 'used', used_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'approval_uses', '[]')) as r(w int, approval_id text)
  where approvals.approval_id = r.approval_id and starts[r.w + 1] is not null;

  update approvals set
    state = coalesce(r.state, approvals.state),
    decided_by = coalesce(r.decided_by, approvals.decided_by),
    decided_ts = case when r.decided_by is null then approvals.decided_ts else database_ms() end,
    comment = coalesce(r.comment, approvals.comment),
    expires_ts = coalesce(database_ms() + r.wait_ms, approvals.expires_ts),
    glass_reason = coalesce(r.glass_reason, approvals.glass_reason),
    is_break_glass = coalesce(r.is_break_glass, approvals.is_break_glass),
    reviewed_by = coalesce(r.reviewed_by, approvals.reviewed_by),
    reviewed_ts = case when r.reviewed_by is null then approvals.reviewed_ts else database_ms() end,
    review = coalesce(r.review, approvals.review)
  from jsonb_to_recordset(coalesce(p_rows->'approval_changes', '[]'))
    as r(w int, approval_id text, state text, decided_by text, comment text, wait_ms bigint, glass_reason text,
      is_break_glass boolean, reviewed_by text, review text)
  where approvals.approval_id = r.approval_id and starts[r.w + 1] is not null;
end $$;
