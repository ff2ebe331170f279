-- Marks are committed in their order: whoever has seen one has seen all below it. Rows are
-- locked after it, never before, so that no two writers wait for each other.
create function next_ephemeral_mark() returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('myelin ephemeral marks'));
  return nextval('ephemeral_marks');
end $$;

-- The last one, when it and all below it have been committed.
create function last_ephemeral_mark() returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('myelin ephemeral marks'));
  return (select case when is_called then last_value else 0 end from ephemeral_marks);
end $$;

-- The device that said so last: what another one says is weighed against it.
alter table presence add column device_id text collate "C" not null default '';
select set_column_classes('presence', '{"device_id": "id"}');

-- Typing that nobody has ended in time.
create index typing_by_end on typing (expires_ts) where expires_ts > 0;
