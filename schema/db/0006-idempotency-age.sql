-- The oldest are purged first. Rows of one batch share their time, so it stays small.
create index idempotency_by_age on idempotency (created_ts);
