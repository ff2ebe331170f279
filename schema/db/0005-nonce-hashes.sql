-- Whoever reads the database must not find a nonce that is still good.
drop table registration_nonces;
create table registration_nonces (
  nonce_hash bytea primary key,
  expires_ts bigint not null
);
select set_column_classes('registration_nonces', '{"nonce_hash": "hash", "expires_ts": "time"}');
