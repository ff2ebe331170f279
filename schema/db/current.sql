-- What the migrations make. Written by `npm run db:dump`; never edited.

create sequence consents_consent_id_seq as bigint increment by 1 minvalue 1 maxvalue 9223372036854775807 start with 1;

create sequence ephemeral_marks as bigint increment by 1 minvalue 1 maxvalue 9223372036854775807 start with 1;

create sequence held_data_held_id_seq as bigint increment by 1 minvalue 1 maxvalue 9223372036854775807 start with 1;

create sequence nids as bigint increment by 1000 minvalue 1000 maxvalue 9223372036854775807 start with 1000;

create sequence policy_activations_activation_id_seq as bigint increment by 1 minvalue 1 maxvalue 9223372036854775807 start with 1;

create sequence quarantine_changes_change_id_seq as bigint increment by 1 minvalue 1 maxvalue 9223372036854775807 start with 1;

create type audit_facts as (ts bigint, action text collate "C", result text collate "C", actor audit_party, resource audit_party);

create type audit_party as (type text collate "C", id text collate "C");

create table access_tokens (
  token_hash bytea not null, -- hash
  token_id bigint not null, -- number
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  expires_ts bigint, -- time
  is_used boolean not null default false, -- flag
  created_ts bigint not null, -- time
  acted_by text collate "C" -- id
);
CREATE INDEX access_tokens_acting ON public.access_tokens USING btree (expires_ts) WHERE (acted_by IS NOT NULL);
CREATE INDEX access_tokens_by_device ON public.access_tokens USING btree (user_id, device_id);
alter table access_tokens add constraint access_tokens_pkey PRIMARY KEY (token_hash);
alter table access_tokens add constraint access_tokens_token_id_key UNIQUE (token_id);
alter table access_tokens add constraint access_tokens_user_id_device_id_fkey FOREIGN KEY (user_id, device_id) REFERENCES devices(user_id, device_id) ON DELETE CASCADE;
alter table access_tokens add constraint access_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table account_data (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  type text collate "C" not null, -- protocol
  position bigint not null, -- number
  key_id bigint not null, -- number
  sealed bytea, -- sealed
  media_ids text[] collate "C" not null default '{}'::text[] -- id
);
CREATE INDEX account_data_by_medium ON public.account_data USING gin (media_ids) WHERE (media_ids <> '{}'::text[]);
CREATE INDEX account_data_by_position ON public.account_data USING btree (user_id, "position");
CREATE INDEX account_data_push_rules ON public.account_data USING btree ("position") WHERE ((room_nid = 0) AND (type = 'm.push_rules'::text));
alter table account_data add constraint account_data_pkey PRIMARY KEY (user_id, room_nid, type);

create table admin_job_items (
  job_id text collate "C" not null, -- id
  item text collate "C" not null, -- id
  kind text collate "C" not null, -- setting
  reason text -- setting
);
alter table admin_job_items add constraint admin_job_items_job_id_fkey FOREIGN KEY (job_id) REFERENCES admin_jobs(job_id) ON DELETE CASCADE;
alter table admin_job_items add constraint admin_job_items_kind_check CHECK ((kind = ANY (ARRAY['kicked'::text, 'not-kicked'::text, 'not-redacted'::text])));
alter table admin_job_items add constraint admin_job_items_pkey PRIMARY KEY (job_id, item);

create table admin_jobs (
  job_id text collate "C" not null, -- id
  kind text collate "C" not null, -- setting
  room_id text collate "C", -- id
  user_id text collate "C", -- id
  params text not null, -- setting
  progress text not null default '{}'::text, -- number
  state text collate "C" not null default 'scheduled'::text, -- setting
  not_before bigint not null, -- time
  created_by text collate "C" not null, -- id
  created_ts bigint not null, -- time
  ended_ts bigint, -- time
  failures smallint not null default 0, -- number
  error text, -- setting
  holder uuid, -- number
  generation bigint not null default 0, -- number
  held_until timestamp with time zone not null default '-infinity'::timestamp with time zone -- time
);
CREATE INDEX admin_jobs_by_age ON public.admin_jobs USING btree (created_ts);
CREATE INDEX admin_jobs_by_room ON public.admin_jobs USING btree (room_id, created_ts) WHERE (room_id IS NOT NULL);
CREATE INDEX admin_jobs_due ON public.admin_jobs USING btree (not_before) WHERE (state = ANY (ARRAY['scheduled'::text, 'active'::text]));
alter table admin_jobs add constraint admin_jobs_kind_check CHECK ((kind = ANY (ARRAY['delete-room'::text, 'purge-history'::text, 'redact-user'::text, 'retention'::text, 'erase-user'::text, 'import-users'::text, 'campaign'::text, 'end-sessions'::text])));
alter table admin_jobs add constraint admin_jobs_pkey PRIMARY KEY (job_id);
alter table admin_jobs add constraint admin_jobs_state_check CHECK ((state = ANY (ARRAY['scheduled'::text, 'active'::text, 'complete'::text, 'failed'::text, 'cancelled'::text])));

create table admin_tokens (
  token_id bigint not null, -- number
  token_hash bytea not null, -- hash
  user_id text collate "C" not null, -- id
  name text not null, -- setting
  permissions text[] not null, -- setting
  networks text[] not null, -- setting
  expires_ts bigint not null, -- time
  created_ts bigint not null -- time
);
CREATE INDEX admin_tokens_by_user ON public.admin_tokens USING btree (user_id);
alter table admin_tokens add constraint admin_tokens_pkey PRIMARY KEY (token_id);
alter table admin_tokens add constraint admin_tokens_token_hash_key UNIQUE (token_hash);

create table alerts (
  alert_id bigint not null, -- number
  detector text collate "C" not null, -- setting
  severity text collate "C" not null, -- setting
  subject text collate "C" not null, -- id
  span bigint not null, -- number
  user_id text collate "C", -- id
  record_seq bigint, -- number
  facts text not null, -- number
  is_locked boolean not null, -- flag
  raised_ts bigint not null, -- time
  acknowledged_by text collate "C", -- id
  acknowledged_ts bigint, -- time
  comment text -- setting
);
CREATE INDEX alerts_by_time ON public.alerts USING btree (raised_ts, alert_id);
CREATE INDEX alerts_by_user ON public.alerts USING btree (user_id, raised_ts);
CREATE INDEX alerts_open ON public.alerts USING btree (raised_ts, alert_id) WHERE (acknowledged_ts IS NULL);
alter table alerts add constraint alerts_detector_subject_span_key UNIQUE (detector, subject, span);
alter table alerts add constraint alerts_pkey PRIMARY KEY (alert_id);
alter table alerts add constraint alerts_severity_check CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text])));

create table approvals (
  approval_id text collate "C" not null, -- id
  requested_by text collate "C" not null, -- id
  request_hash text collate "C" not null, -- hash
  permissions text[] not null, -- setting
  user_id text collate "C", -- id
  room_id text collate "C", -- id
  state text collate "C" not null, -- setting
  requested_ts bigint not null, -- time
  expires_ts bigint not null, -- time
  decided_by text collate "C", -- id
  decided_ts bigint, -- time
  comment text, -- setting
  used_ts bigint, -- time
  glass_reason text, -- setting
  is_break_glass boolean not null default false, -- flag
  reviewed_by text collate "C", -- id
  reviewed_ts bigint, -- time
  review text, -- setting
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
CREATE INDEX approvals_by_request ON public.approvals USING btree (requested_by, request_hash, requested_ts);
CREATE INDEX approvals_by_time ON public.approvals USING btree (requested_ts);
CREATE UNIQUE INDEX approvals_pending ON public.approvals USING btree (requested_by, request_hash) WHERE (state = 'pending'::text);
alter table approvals add constraint approvals_pkey PRIMARY KEY (approval_id);
alter table approvals add constraint approvals_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'withdrawn'::text, 'used'::text, 'void'::text, 'expired'::text])));

create table audit_checkpoints (
  seq bigint not null, -- number
  hash bytea not null, -- hash
  ts bigint not null, -- time
  key_id text collate "C" not null, -- setting
  signature bytea not null -- hash
);
CREATE INDEX audit_checkpoints_by_ts ON public.audit_checkpoints USING btree (ts, seq);
alter table audit_checkpoints add constraint audit_checkpoints_pkey PRIMARY KEY (seq);

create table audit_deliveries (
  target text collate "C" not null, -- setting
  seq bigint not null, -- number
  delivered_ts bigint not null -- time
);
alter table audit_deliveries add constraint audit_deliveries_pkey PRIMARY KEY (target);

create table audit_keys (
  epoch integer not null, -- number
  key_id text collate "C" not null, -- setting
  public_key text collate "C" not null, -- setting
  seq bigint not null, -- number
  statement text not null, -- protocol
  signature text not null -- hash
);
alter table audit_keys add constraint audit_keys_epoch_check CHECK ((epoch > 1));
alter table audit_keys add constraint audit_keys_key_id_key UNIQUE (key_id);
alter table audit_keys add constraint audit_keys_pkey PRIMARY KEY (epoch);
alter table audit_keys add constraint audit_keys_public_key_key UNIQUE (public_key);

create table audit_log (
  seq bigint not null, -- number
  record text not null, -- protocol
  prev_hash bytea not null, -- hash
  hash bytea not null, -- hash
  facts audit_facts default read_audit_facts(record) -- id
);
CREATE INDEX audit_log_by_action ON public.audit_log USING btree (((facts).action), seq);
CREATE INDEX audit_log_by_actor ON public.audit_log USING btree (((facts).actor.id), seq);
CREATE INDEX audit_log_by_resource ON public.audit_log USING btree (((facts).resource.id), seq);
CREATE INDEX audit_log_by_ts ON public.audit_log USING btree (((facts).ts));
alter table audit_log add constraint audit_log_pkey PRIMARY KEY (seq);

create table audit_prunings (
  seq bigint not null, -- number
  hash bytea not null, -- hash
  signed_ts bigint not null, -- time
  record_seq bigint not null -- number
);
alter table audit_prunings add constraint audit_prunings_pkey PRIMARY KEY (seq);

create table authority (
  is_only boolean not null default true, -- flag
  version bigint not null default 0, -- number
  sealed_ts bigint -- time
);
alter table authority add constraint authority_is_only_check CHECK (is_only);
alter table authority add constraint authority_pkey PRIMARY KEY (is_only);

create table backed_up_keys (
  user_id text collate "C" not null, -- id
  version bigint not null, -- number
  room_id text collate "C" not null, -- id
  session_id text collate "C" not null, -- id
  first_message_index bigint not null, -- number
  forwarded_count bigint not null, -- number
  is_verified boolean not null, -- flag
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
alter table backed_up_keys add constraint backed_up_keys_pkey PRIMARY KEY (user_id, version, room_id, session_id);

create table batches (
  batch_id uuid not null, -- number
  last_position bigint, -- number
  lost jsonb, -- id
  room_nids bigint[] not null default '{}'::bigint[], -- number
  user_ids text[] not null default '{}'::text[], -- id
  committed_ts bigint not null -- time
);
alter table batches add constraint batches_last_position_key UNIQUE (last_position);
alter table batches add constraint batches_pkey PRIMARY KEY (batch_id);

create table binding_users (
  binding_id bigint not null, -- number
  user_id text collate "C" not null -- id
);
CREATE INDEX binding_users_by_user ON public.binding_users USING btree (user_id);
alter table binding_users add constraint binding_users_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES role_bindings(binding_id) ON DELETE CASCADE;
alter table binding_users add constraint binding_users_pkey PRIMARY KEY (binding_id, user_id);

create table blocked_rooms (
  room_id text collate "C" not null, -- id
  blocked_by text collate "C" not null, -- id
  blocked_ts bigint not null -- time
);
alter table blocked_rooms add constraint blocked_rooms_pkey PRIMARY KEY (room_id);

create table campaign_members (
  campaign_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  room_nid bigint, -- number
  event_id text collate "C", -- id
  event_position bigint, -- number
  sent_ts bigint, -- time
  reminder_id text collate "C", -- id
  reminders smallint not null default 0, -- number
  remind_ts bigint, -- time
  seen_ts bigint, -- time
  acknowledged_ts bigint, -- time
  errcode text collate "C" -- setting
);
CREATE INDEX campaign_members_by_user ON public.campaign_members USING btree (user_id);
CREATE INDEX campaign_members_due ON public.campaign_members USING btree (campaign_id, remind_ts) WHERE (remind_ts IS NOT NULL);
CREATE INDEX campaign_members_unsent ON public.campaign_members USING btree (campaign_id, user_id) WHERE ((sent_ts IS NULL) AND (errcode IS NULL));
CREATE INDEX campaign_members_waiting ON public.campaign_members USING btree (campaign_id, user_id) WHERE ((sent_ts IS NOT NULL) AND (acknowledged_ts IS NULL));
alter table campaign_members add constraint campaign_members_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns(campaign_id) ON DELETE CASCADE;
alter table campaign_members add constraint campaign_members_pkey PRIMARY KEY (campaign_id, user_id);

create table campaigns (
  campaign_id text collate "C" not null, -- id
  name text not null, -- setting
  job_id text collate "C" not null, -- id
  state text collate "C" not null default 'open'::text, -- setting
  audience_kind text collate "C" not null, -- setting
  audience_id text collate "C" not null, -- setting
  content text not null, -- setting
  reminder text not null, -- setting
  remind_after_ms bigint, -- time
  most_reminders smallint not null, -- number
  closes_ts bigint not null, -- time
  created_by text collate "C" not null, -- id
  created_ts bigint not null, -- time
  ended_ts bigint -- time
);
CREATE INDEX campaigns_by_time ON public.campaigns USING btree (created_ts, campaign_id);
alter table campaigns add constraint campaigns_audience_kind_check CHECK ((audience_kind = ANY (ARRAY['all'::text, 'group'::text, 'users'::text])));
alter table campaigns add constraint campaigns_job_id_key UNIQUE (job_id);
alter table campaigns add constraint campaigns_pkey PRIMARY KEY (campaign_id);
alter table campaigns add constraint campaigns_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text, 'cancelled'::text])));

create table consents (
  consent_id bigint not null, -- number
  user_id text collate "C" not null, -- id
  policy text collate "C" not null, -- setting
  version text collate "C" not null, -- setting
  locale text collate "C" not null, -- setting
  is_given boolean not null, -- flag
  ts bigint not null -- time
);
CREATE INDEX consents_by_user ON public.consents USING btree (user_id, policy, consent_id);
alter table consents add constraint consents_pkey PRIMARY KEY (consent_id);

create table cross_signing_keys (
  user_id text collate "C" not null, -- id
  usage text collate "C" not null, -- protocol
  json text not null, -- protocol
  position bigint not null -- number
);
alter table cross_signing_keys add constraint cross_signing_keys_pkey PRIMARY KEY (user_id, usage);
alter table cross_signing_keys add constraint cross_signing_keys_usage_check CHECK ((usage = ANY (ARRAY['master'::text, 'self_signing'::text, 'user_signing'::text])));

create table current_state (
  room_nid bigint not null, -- number
  type text collate "C" not null, -- protocol
  state_key text collate "C" not null, -- id
  nid bigint not null -- number
);
alter table current_state add constraint current_state_pkey PRIMARY KEY (room_nid, type, state_key);

create table custom_roles (
  role_id text collate "C" not null, -- setting
  description text not null, -- setting
  permissions text[] not null, -- setting
  side text collate "C" not null, -- setting
  created_by text collate "C" not null, -- id
  changed_ts bigint not null -- time
);
alter table custom_roles add constraint custom_roles_pkey PRIMARY KEY (role_id);
alter table custom_roles add constraint custom_roles_side_check CHECK ((side = ANY (ARRAY['shared'::text, 'operations'::text, 'security'::text, 'audit'::text])));

create table dehydrated_devices (
  user_id text collate "C" not null, -- id
  device_id text collate "C", -- id
  position bigint not null, -- number
  key_id bigint not null, -- number
  sealed bytea -- sealed
);
alter table dehydrated_devices add constraint dehydrated_devices_pkey PRIMARY KEY (user_id);
alter table dehydrated_devices add constraint dehydrated_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table delayed_events (
  delay_key bytea not null, -- hash
  user_id text collate "C" not null, -- id
  txn_key bytea, -- hash
  room_id text collate "C" not null, -- id
  type text collate "C" not null, -- protocol
  state_key text collate "C", -- id
  delay_ms bigint not null, -- time
  running_since bigint not null, -- time
  send_ts bigint not null, -- time
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  claimed_until bigint not null default 0, -- time
  finalised_ts bigint, -- time
  outcome text collate "C", -- setting
  event_id text collate "C", -- id
  error text -- protocol
);
CREATE INDEX delayed_events_by_user ON public.delayed_events USING btree (user_id, send_ts);
CREATE INDEX delayed_events_due ON public.delayed_events USING btree (send_ts) WHERE (finalised_ts IS NULL);
CREATE INDEX delayed_events_finalised ON public.delayed_events USING btree (finalised_ts) WHERE (finalised_ts IS NOT NULL);
alter table delayed_events add constraint delayed_events_outcome_check CHECK ((outcome = ANY (ARRAY['send'::text, 'cancel'::text, 'error'::text])));
alter table delayed_events add constraint delayed_events_pkey PRIMARY KEY (delay_key);
alter table delayed_events add constraint delayed_events_txn_key_key UNIQUE (txn_key);

create table detector_places (
  name text collate "C" not null, -- setting
  seq bigint not null -- number
);
alter table detector_places add constraint detector_places_pkey PRIMARY KEY (name);

create table device_keys (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  json text not null -- protocol
);
alter table device_keys add constraint device_keys_pkey PRIMARY KEY (user_id, device_id);

create table device_list_changes (
  user_id text collate "C" not null, -- id
  position bigint not null, -- number
  viewer text collate "C" not null -- id
);
CREATE INDEX device_list_changes_by_position ON public.device_list_changes USING btree ("position");
alter table device_list_changes add constraint device_list_changes_pkey PRIMARY KEY (user_id, "position", viewer);

create table device_wipes (
  wipe_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  ordered_by text collate "C" not null, -- id
  ordered_ts bigint not null, -- time
  told_ts bigint -- time
);
CREATE INDEX device_wipes_by_age ON public.device_wipes USING btree (ordered_ts);
CREATE INDEX device_wipes_by_user ON public.device_wipes USING btree (user_id, ordered_ts, wipe_id);
alter table device_wipes add constraint device_wipes_pkey PRIMARY KEY (wipe_id);

create table devices (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  last_seen_ts bigint, -- time
  created_ts bigint not null -- time
);
alter table devices add constraint devices_pkey PRIMARY KEY (user_id, device_id);
alter table devices add constraint devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table download_counts (
  user_id text collate "C" not null, -- id
  span bigint not null, -- time
  files bigint not null, -- number
  bytes bigint not null -- number
);
CREATE INDEX download_counts_by_span ON public.download_counts USING btree (span);
alter table download_counts add constraint download_counts_pkey PRIMARY KEY (user_id, span);

create table erasure_certificates (
  certificate_id text collate "C" not null, -- id
  job_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  gone_ts bigint not null, -- time
  master_epoch integer, -- number
  document text not null, -- id
  signature text collate "C" not null, -- hash
  unreadable_ts bigint, -- time
  last_document text, -- id
  last_signature text collate "C", -- hash
  key_id text collate "C" not null -- setting
);
CREATE INDEX erasure_certificates_by_user ON public.erasure_certificates USING btree (user_id, gone_ts);
CREATE INDEX erasure_certificates_open ON public.erasure_certificates USING btree (gone_ts) WHERE (unreadable_ts IS NULL);
alter table erasure_certificates add constraint erasure_certificates_job_id_key UNIQUE (job_id);
alter table erasure_certificates add constraint erasure_certificates_pkey PRIMARY KEY (certificate_id);

create table erasure_tallies (
  job_id text collate "C" not null, -- id
  what text collate "C" not null, -- setting
  count bigint not null -- number
);
alter table erasure_tallies add constraint erasure_tallies_pkey PRIMARY KEY (job_id, what);

create table event_contents (
  nid bigint not null, -- number
  first_key bigint not null, -- number
  second_key bigint not null, -- number
  sealed bytea not null -- sealed
);
alter table event_contents add constraint event_contents_pkey PRIMARY KEY (nid);

create table events (
  nid bigint not null, -- number
  room_nid bigint not null, -- number
  position bigint, -- number
  depth bigint not null, -- number
  arrival bigint, -- number
  origin_server_ts bigint not null, -- time
  received_ts bigint not null, -- time
  snapshot_id bigint, -- number
  snapshot_after bigint, -- number
  replaces_nid bigint, -- number
  redacted_by bigint, -- number
  room_count bigint not null default 0, -- number
  thread_count bigint not null default 0, -- number
  status smallint not null default 0, -- number
  is_countable boolean not null default false, -- flag
  has_url boolean not null default false, -- flag
  event_id text collate "C" not null, -- hash
  type text collate "C" not null, -- protocol
  state_key text collate "C", -- id
  sender text collate "C" not null, -- id
  device_id text collate "C", -- id
  txn_id text collate "C", -- id
  redacts text collate "C", -- id
  rel_type text collate "C", -- protocol
  relates_to text collate "C", -- id
  thread text collate "C", -- id
  refusal text, -- protocol
  skeleton text not null -- protocol
);
CREATE INDEX events_aging ON public.events USING btree (room_nid, LEAST(origin_server_ts, received_ts)) WHERE ((redacted_by IS NULL) AND (status <> 3) AND (state_key IS NULL));
CREATE INDEX events_aging_state ON public.events USING btree (room_nid, LEAST(origin_server_ts, received_ts)) WHERE ((redacted_by IS NULL) AND (status <> 3) AND (state_key IS NOT NULL));
CREATE INDEX events_bumps ON public.events USING btree (room_nid, "position") WHERE (("position" IS NOT NULL) AND (status = 0) AND (type = ANY (ARRAY['m.room.create'::text, 'm.room.message'::text, 'm.room.encrypted'::text, 'm.sticker'::text, 'm.call.invite'::text, 'm.poll.start'::text, 'm.beacon_info'::text])));
CREATE INDEX events_by_paging_key ON public.events USING btree (room_nid, depth, arrival) WHERE (arrival IS NOT NULL);
CREATE INDEX events_by_parent ON public.events USING btree (room_nid, relates_to, "position") WHERE ((relates_to IS NOT NULL) AND (redacted_by IS NULL));
CREATE INDEX events_by_position ON public.events USING btree (room_nid, "position") WHERE ("position" IS NOT NULL);
CREATE INDEX events_by_redacts ON public.events USING btree (room_nid, redacts) WHERE (redacts IS NOT NULL);
CREATE INDEX events_by_relation ON public.events USING btree (room_nid, relates_to, rel_type, "position") WHERE ((relates_to IS NOT NULL) AND (redacted_by IS NULL));
CREATE INDEX events_by_relation_sender ON public.events USING btree (room_nid, relates_to, rel_type, sender) WHERE (relates_to IS NOT NULL);
CREATE INDEX events_by_thread ON public.events USING btree (room_nid, thread, "position") WHERE (thread IS NOT NULL);
CREATE INDEX events_by_time ON public.events USING btree (room_nid, origin_server_ts) WHERE (arrival IS NOT NULL);
CREATE INDEX events_edits ON public.events USING btree (room_nid, relates_to, sender, origin_server_ts, event_id) WHERE ((rel_type = 'm.replace'::text) AND (state_key IS NULL) AND (status = 0) AND (redacted_by IS NULL));
CREATE INDEX events_outlying ON public.events USING btree (room_nid) WHERE (arrival IS NULL);
CREATE INDEX events_received_later ON public.events USING btree (room_nid, received_ts) WHERE (received_ts <> origin_server_ts);
CREATE INDEX events_redacted_countable ON public.events USING btree (room_nid, "position") WHERE (is_countable AND (redacted_by IS NOT NULL));
alter table events add constraint events_event_id_key UNIQUE (event_id);
alter table events add constraint events_pkey PRIMARY KEY (nid);

create table external_ids (
  provider text collate "C" not null, -- setting
  subject_hash bytea not null, -- hash
  user_id text collate "C" not null, -- id
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  created_ts bigint not null -- time
);
CREATE INDEX external_ids_by_user ON public.external_ids USING btree (user_id);
alter table external_ids add constraint external_ids_pkey PRIMARY KEY (provider, subject_hash);
alter table external_ids add constraint external_ids_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table fallback_keys (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  algorithm text collate "C" not null, -- protocol
  key_id text collate "C" not null, -- protocol
  json text not null, -- protocol
  is_used boolean not null -- flag
);
alter table fallback_keys add constraint fallback_keys_pkey PRIMARY KEY (user_id, device_id, algorithm);

create table filters (
  user_id text collate "C" not null, -- id
  filter_id bigint not null, -- number
  hash bytea not null, -- hash
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
alter table filters add constraint filters_pkey PRIMARY KEY (user_id, filter_id);
alter table filters add constraint filters_user_id_hash_key UNIQUE (user_id, hash);

create table forward_extremities (
  room_nid bigint not null, -- number
  nid bigint not null -- number
);
alter table forward_extremities add constraint forward_extremities_pkey PRIMARY KEY (room_nid, nid);

create table held_contents (
  nid bigint not null, -- number
  hold_id text collate "C" not null, -- id
  first_key bigint not null, -- number
  second_key bigint not null, -- number
  sealed bytea not null -- sealed
);
CREATE INDEX held_contents_by_hold ON public.held_contents USING btree (hold_id);
alter table held_contents add constraint held_contents_pkey PRIMARY KEY (nid);

create table held_data (
  held_id bigint not null, -- number
  hold_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  nid bigint, -- number
  source text collate "C" not null, -- setting
  place jsonb not null, -- id
  kept_ts bigint not null, -- time
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
CREATE INDEX held_data_by_hold ON public.held_data USING btree (hold_id, held_id);
alter table held_data add constraint held_data_pkey PRIMARY KEY (held_id);

create table held_references (
  nid bigint not null, -- number
  media_id text collate "C" not null, -- id
  hold_id text collate "C" not null -- id
);
CREATE INDEX held_references_by_event ON public.held_references USING btree (nid);
CREATE INDEX held_references_by_hold ON public.held_references USING btree (hold_id);
alter table held_references add constraint held_references_pkey PRIMARY KEY (media_id, nid);

create table holds (
  hold_id text collate "C" not null, -- id
  name text not null, -- setting
  case_id text collate "C" not null, -- setting
  reason text not null, -- setting
  user_ids text[] collate "C", -- id
  room_ids text[] collate "C", -- id
  room_nids bigint[], -- number
  from_ts bigint, -- time
  until_ts bigint, -- time
  created_by text collate "C" not null, -- id
  created_ts bigint not null, -- time
  released_by text collate "C", -- id
  released_ts bigint, -- time
  release_reason text -- setting
);
CREATE INDEX holds_by_time ON public.holds USING btree (created_ts, hold_id);
CREATE INDEX holds_in_force ON public.holds USING btree (hold_id) WHERE (released_ts IS NULL);
alter table holds add constraint holds_pkey PRIMARY KEY (hold_id);

create table idempotency (
  key bytea not null, -- hash
  answer text not null, -- id
  created_ts bigint not null -- time
);
CREATE INDEX idempotency_by_age ON public.idempotency USING btree (created_ts);
alter table idempotency add constraint idempotency_pkey PRIMARY KEY (key);

create table import_rows (
  job_id text collate "C" not null, -- id
  line integer not null, -- number
  user_id text collate "C" not null, -- id
  groups text[] not null, -- setting
  state text collate "C" not null default 'waiting'::text, -- setting
  errcode text collate "C", -- setting
  created_ts bigint not null, -- time
  key_id bigint not null, -- number
  sealed bytea -- sealed
);
CREATE INDEX import_rows_by_age ON public.import_rows USING btree (created_ts);
CREATE INDEX import_rows_by_user ON public.import_rows USING btree (user_id);
CREATE INDEX import_rows_failed ON public.import_rows USING btree (job_id, line) WHERE (state = 'failed'::text);
CREATE INDEX import_rows_grouped ON public.import_rows USING btree (job_id, line) WHERE ((state = 'made'::text) AND (groups <> '{}'::text[]));
CREATE INDEX import_rows_waiting ON public.import_rows USING btree (job_id, line) WHERE (state = 'waiting'::text);
alter table import_rows add constraint import_rows_pkey PRIMARY KEY (job_id, line);
alter table import_rows add constraint import_rows_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text, 'cancelled'::text])));

create table incidents (
  incident_id text collate "C" not null, -- id
  title text not null, -- setting
  severity text collate "C" not null, -- setting
  state text collate "C" not null default 'open'::text, -- setting
  from_ts bigint, -- time
  to_ts bigint, -- time
  summary text not null, -- setting
  opened_by text collate "C" not null, -- id
  opened_ts bigint not null, -- time
  aware_ts bigint not null, -- time
  notified_ts bigint, -- time
  notification text, -- setting
  campaign_id text collate "C", -- id
  closed_by text collate "C", -- id
  closed_ts bigint, -- time
  report text, -- setting
  version integer not null default 1 -- number
);
CREATE INDEX incidents_by_time ON public.incidents USING btree (opened_ts, incident_id);
CREATE INDEX incidents_running ON public.incidents USING btree (aware_ts) WHERE ((state = 'open'::text) AND (notified_ts IS NULL));
alter table incidents add constraint incidents_pkey PRIMARY KEY (incident_id);
alter table incidents add constraint incidents_severity_check CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text])));
alter table incidents add constraint incidents_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text])));

create table key_backups (
  user_id text collate "C" not null, -- id
  version bigint not null, -- number
  algorithm text collate "C" not null, -- protocol
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  is_deleted boolean not null default false, -- flag
  etag bigint not null default 0, -- number
  key_count bigint not null default 0, -- number
  key_bytes bigint not null default 0 -- number
);
CREATE INDEX key_backups_deleted ON public.key_backups USING btree (user_id, version) WHERE is_deleted;
alter table key_backups add constraint key_backups_pkey PRIMARY KEY (user_id, version);
alter table key_backups add constraint key_backups_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table key_signatures (
  user_id text collate "C" not null, -- id
  target text collate "C" not null, -- id
  signer text collate "C" not null, -- id
  signing_key text collate "C" not null, -- protocol
  signature text collate "C" not null, -- protocol
  signed_hash bytea not null -- hash
);
alter table key_signatures add constraint key_signatures_pkey PRIMARY KEY (user_id, target, signer, signing_key);

create table keys (
  key_id bigint not null, -- number
  scope text collate "C" not null, -- setting
  owner text collate "C" not null, -- id
  span text collate "C" not null, -- time
  master_epoch integer not null, -- number
  wrapped bytea not null, -- secret
  created_ts bigint not null -- time
);
alter table keys add constraint keys_pkey PRIMARY KEY (key_id);
alter table keys add constraint keys_scope_check CHECK ((scope = ANY (ARRAY['user'::text, 'user-span'::text, 'user-files'::text, 'room-span'::text, 'room-state'::text, 'room-words'::text, 'member'::text])));
alter table keys add constraint keys_scope_owner_span_key UNIQUE (scope, owner, span);

create table known_places (
  user_id text collate "C" not null, -- id
  place_hash text collate "C" not null, -- hash
  kind text collate "C" not null, -- setting
  seen_ts bigint not null -- time
);
CREATE INDEX known_places_by_age ON public.known_places USING btree (seen_ts);
CREATE INDEX known_places_of_user ON public.known_places USING btree (user_id, seen_ts);
alter table known_places add constraint known_places_kind_check CHECK ((kind = ANY (ARRAY['country'::text, 'network'::text, 'client'::text])));
alter table known_places add constraint known_places_pkey PRIMARY KEY (user_id, place_hash);

create table leases (
  name text collate "C" not null, -- setting
  holder uuid not null, -- number
  generation bigint not null, -- number
  expires_ts timestamp with time zone not null, -- time
  is_running boolean not null default true -- flag
);
alter table leases add constraint leases_pkey PRIMARY KEY (name);

create table login_tokens (
  token_hash bytea not null, -- hash
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  password_hash_digest bytea not null, -- hash
  expires_ts bigint not null -- time
);
CREATE INDEX login_tokens_by_device ON public.login_tokens USING btree (user_id, device_id);
CREATE INDEX login_tokens_by_end ON public.login_tokens USING btree (expires_ts);
alter table login_tokens add constraint login_tokens_pkey PRIMARY KEY (token_hash);
alter table login_tokens add constraint login_tokens_user_id_device_id_fkey FOREIGN KEY (user_id, device_id) REFERENCES devices(user_id, device_id) ON DELETE CASCADE;

create table media (
  media_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  blob_id text collate "C", -- number
  created_ts bigint not null, -- time
  expires_ts bigint, -- time
  content_type text collate "C", -- protocol
  is_legacy boolean not null, -- flag
  scan text collate "C", -- flag
  quarantined_by text collate "C", -- id
  is_protected boolean not null default false, -- flag
  last_access_ts bigint, -- time
  key_id bigint not null, -- number
  sealed bytea -- sealed
);
CREATE INDEX media_by_blob ON public.media USING btree (blob_id) WHERE (blob_id IS NOT NULL);
CREATE INDEX media_by_key ON public.media USING btree (key_id) WHERE (key_id <> 0);
CREATE INDEX media_by_user ON public.media USING btree (user_id, created_ts);
CREATE INDEX media_pending_by_end ON public.media USING btree (expires_ts) WHERE (blob_id IS NULL);
CREATE INDEX media_pending_by_user ON public.media USING btree (user_id, expires_ts) WHERE (blob_id IS NULL);
alter table media add constraint media_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES media_blobs(blob_id);
alter table media add constraint media_pkey PRIMARY KEY (media_id);
alter table media add constraint media_scan_check CHECK ((scan = ANY (ARRAY['clean'::text, 'refused'::text])));

create table media_blobs (
  blob_id text collate "C" not null, -- number
  user_id text collate "C" not null, -- id
  state text collate "C" not null, -- setting
  hash bytea, -- hash
  size bigint, -- number
  content_type text collate "C", -- protocol
  is_sealed boolean not null, -- flag
  origin_blob_id text collate "C", -- number
  variant text collate "C", -- protocol
  expires_ts timestamp with time zone -- time
);
CREATE INDEX media_blobs_by_end ON public.media_blobs USING btree (expires_ts) WHERE (state <> 'stored'::text);
CREATE INDEX media_blobs_by_hash ON public.media_blobs USING btree (user_id, hash) WHERE ((state = 'stored'::text) AND (hash IS NOT NULL));
CREATE INDEX media_blobs_dropped ON public.media_blobs USING btree (origin_blob_id) WHERE ((state = 'dropped'::text) AND (origin_blob_id IS NOT NULL));
CREATE UNIQUE INDEX media_blobs_variants ON public.media_blobs USING btree (origin_blob_id, variant) WHERE ((state = 'stored'::text) AND (origin_blob_id IS NOT NULL));
alter table media_blobs add constraint media_blobs_pkey PRIMARY KEY (blob_id);
alter table media_blobs add constraint media_blobs_state_check CHECK ((state = ANY (ARRAY['writing'::text, 'stored'::text, 'dropped'::text])));

create table media_references (
  nid bigint not null, -- number
  media_id text collate "C" not null -- id
);
CREATE INDEX media_references_by_medium ON public.media_references USING btree (media_id);
alter table media_references add constraint media_references_pkey PRIMARY KEY (nid, media_id);

create table media_usage (
  user_id text collate "C" not null, -- id
  bytes bigint not null -- number
);
alter table media_usage add constraint media_usage_pkey PRIMARY KEY (user_id);

create table memberships (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  membership text collate "C" not null, -- protocol
  sender text collate "C" not null, -- id
  nid bigint not null, -- number
  position bigint not null, -- number
  since_position bigint not null, -- number
  is_forgotten boolean not null default false -- flag
);
CREATE INDEX memberships_by_change ON public.memberships USING btree (room_nid, "position");
CREATE INDEX memberships_by_room ON public.memberships USING btree (room_nid, membership, "position");
alter table memberships add constraint memberships_membership_check CHECK ((membership = ANY (ARRAY['join'::text, 'invite'::text, 'leave'::text, 'ban'::text, 'knock'::text])));
alter table memberships add constraint memberships_pkey PRIMARY KEY (user_id, room_nid);

create table notice_rooms (
  user_id text collate "C" not null, -- id
  room_nid bigint not null -- number
);
alter table notice_rooms add constraint notice_rooms_pkey PRIMARY KEY (user_id);
alter table notice_rooms add constraint notice_rooms_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table notifications (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  position bigint not null, -- number
  nid bigint not null, -- number
  thread text collate "C" not null, -- id
  is_highlight boolean not null, -- flag
  is_counted boolean not null -- flag
);
CREATE INDEX notifications_by_nid ON public.notifications USING btree (nid);
alter table notifications add constraint notifications_pkey PRIMARY KEY (user_id, room_nid, "position");

create table one_time_keys (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  algorithm text collate "C" not null, -- protocol
  key_id text collate "C" not null, -- protocol
  position bigint not null, -- number
  json text not null -- protocol
);
CREATE INDEX one_time_keys_by_age ON public.one_time_keys USING btree (user_id, device_id, algorithm, "position", key_id);
alter table one_time_keys add constraint one_time_keys_pkey PRIMARY KEY (user_id, device_id, algorithm, key_id);

create table openid_tokens (
  token_hash bytea not null, -- hash
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  expires_ts bigint not null -- time
);
CREATE INDEX openid_tokens_by_device ON public.openid_tokens USING btree (user_id, device_id);
CREATE INDEX openid_tokens_by_end ON public.openid_tokens USING btree (expires_ts);
alter table openid_tokens add constraint openid_tokens_pkey PRIMARY KEY (token_hash);
alter table openid_tokens add constraint openid_tokens_user_id_device_id_fkey FOREIGN KEY (user_id, device_id) REFERENCES devices(user_id, device_id) ON DELETE CASCADE;

create table own_positions (
  room_nid bigint not null, -- number
  user_id text collate "C" not null, -- id
  thread text collate "C" not null, -- id
  slice bigint not null, -- number
  position bigint not null -- number
);
alter table own_positions add constraint own_positions_pkey PRIMARY KEY (room_nid, user_id, thread, slice);

create table pending_erasures (
  user_id text collate "C" not null, -- id
  requested_by text collate "C" not null, -- id
  requested_ts bigint not null, -- time
  due_ts bigint not null, -- time
  held_ts bigint -- time
);
CREATE INDEX pending_erasures_by_due ON public.pending_erasures USING btree (due_ts);
alter table pending_erasures add constraint pending_erasures_pkey PRIMARY KEY (user_id);
alter table pending_erasures add constraint pending_erasures_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table policies (
  policy_id text collate "C" not null, -- setting
  active_version integer, -- number
  activated_by text collate "C", -- id
  activated_ts bigint -- time
);
alter table policies add constraint policies_pkey PRIMARY KEY (policy_id);

create table policy_activations (
  activation_id bigint not null, -- number
  policy_id text collate "C" not null, -- setting
  version integer, -- number
  activated_by text collate "C" not null, -- id
  activated_ts bigint not null -- time
);
CREATE INDEX policy_activations_by_policy ON public.policy_activations USING btree (policy_id, activation_id);
alter table policy_activations add constraint policy_activations_pkey PRIMARY KEY (activation_id);
alter table policy_activations add constraint policy_activations_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES policies(policy_id) ON DELETE CASCADE;

create table policy_versions (
  policy_id text collate "C" not null, -- setting
  version integer not null, -- number
  document text not null, -- setting
  author text collate "C" not null, -- id
  created_ts bigint not null -- time
);
alter table policy_versions add constraint policy_versions_pkey PRIMARY KEY (policy_id, version);
alter table policy_versions add constraint policy_versions_policy_id_fkey FOREIGN KEY (policy_id) REFERENCES policies(policy_id) ON DELETE CASCADE;

create unlogged table presence (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null default ''::text, -- id
  state text collate "C" not null, -- protocol
  status_key bigint not null, -- number
  status_sealed bytea, -- sealed
  last_active_ts bigint not null, -- time
  mark bigint not null -- number
);
CREATE INDEX presence_by_end ON public.presence USING btree (last_active_ts) WHERE (state <> 'offline'::text);
CREATE INDEX presence_by_mark ON public.presence USING btree (mark);
alter table presence add constraint presence_pkey PRIMARY KEY (user_id);

create table privacy_requests (
  request_id text collate "C" not null, -- id
  user_id text collate "C" not null, -- id
  kind text collate "C" not null, -- setting
  state text collate "C" not null default 'open'::text, -- setting
  opened_by text collate "C" not null, -- id
  created_ts bigint not null, -- time
  due_ts bigint not null, -- time
  closed_ts bigint, -- time
  identity_checked_by text collate "C", -- id
  identity_checked_ts bigint, -- time
  version integer not null default 1, -- number
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
CREATE INDEX privacy_requests_by_due ON public.privacy_requests USING btree (due_ts, request_id);
CREATE INDEX privacy_requests_by_user ON public.privacy_requests USING btree (user_id, created_ts);
alter table privacy_requests add constraint privacy_requests_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'rectify'::text, 'erase'::text])));
alter table privacy_requests add constraint privacy_requests_pkey PRIMARY KEY (request_id);
alter table privacy_requests add constraint privacy_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'in_progress'::text, 'done'::text, 'refused'::text, 'withdrawn'::text])));

create table profile_fields (
  user_id text collate "C" not null, -- id
  name text collate "C" not null, -- protocol
  position bigint not null, -- number
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  media_id text collate "C" -- id
);
CREATE INDEX profile_fields_by_medium ON public.profile_fields USING btree (media_id) WHERE (media_id IS NOT NULL);
CREATE INDEX profile_fields_by_position ON public.profile_fields USING btree ("position");
alter table profile_fields add constraint profile_fields_pkey PRIMARY KEY (user_id, name);

create table push_modes (
  user_id text collate "C" not null, -- id
  room_id text collate "C" not null, -- id
  mode text collate "C" not null, -- setting
  since_position bigint not null, -- number
  position bigint not null -- number
);
CREATE INDEX push_modes_by_position ON public.push_modes USING btree ("position");
alter table push_modes add constraint push_modes_mode_check CHECK ((mode = ANY (ARRAY['keywords'::text, 'rows'::text])));
alter table push_modes add constraint push_modes_pkey PRIMARY KEY (user_id, room_id);

create unlogged table push_processes (
  holder uuid not null, -- number
  expires_ts timestamp with time zone not null -- time
);
alter table push_processes add constraint push_processes_pkey PRIMARY KEY (holder);

create table push_queue (
  pusher_id bigint not null, -- number
  position bigint not null, -- number
  nid bigint, -- number
  room_nid bigint not null, -- number
  thread text collate "C" not null, -- id
  actions text not null, -- protocol
  queued_ts timestamp with time zone not null default clock_timestamp() -- time
);
alter table push_queue add constraint push_queue_pkey PRIMARY KEY (pusher_id, "position");
alter table push_queue add constraint push_queue_pusher_id_fkey FOREIGN KEY (pusher_id) REFERENCES pushers(pusher_id) ON DELETE CASCADE;

create table push_shards (
  shard smallint not null, -- number
  position bigint not null default 0, -- number
  holder uuid, -- number
  generation bigint not null default 0, -- number
  expires_ts timestamp with time zone not null default '-infinity'::timestamp with time zone -- time
);
alter table push_shards add constraint push_shards_pkey PRIMARY KEY (shard);

create table pusher_states (
  pusher_id bigint not null, -- number
  badge integer not null default 0, -- number
  failures integer not null default 0, -- number
  failing_since_ts timestamp with time zone, -- time
  retry_ts timestamp with time zone not null default '-infinity'::timestamp with time zone, -- time
  mailed_ts timestamp with time zone, -- time
  mail_rest_ms bigint not null default 0 -- number
);
alter table pusher_states add constraint pusher_states_pkey PRIMARY KEY (pusher_id);
alter table pusher_states add constraint pusher_states_pusher_id_fkey FOREIGN KEY (pusher_id) REFERENCES pushers(pusher_id) ON DELETE CASCADE;

create table pushers (
  pusher_id bigint not null, -- number
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  key_hash bytea not null, -- hash
  kind text collate "C" not null, -- setting
  is_enabled boolean not null, -- flag
  shard smallint not null, -- number
  since_position bigint not null, -- number
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  created_ts bigint not null -- time
);
CREATE INDEX pushers_by_device ON public.pushers USING btree (user_id, device_id);
CREATE INDEX pushers_by_shard ON public.pushers USING btree (shard);
alter table pushers add constraint pushers_key_hash_user_id_key UNIQUE (key_hash, user_id);
alter table pushers add constraint pushers_kind_check CHECK ((kind = ANY (ARRAY['http'::text, 'email'::text])));
alter table pushers add constraint pushers_pkey PRIMARY KEY (pusher_id);
alter table pushers add constraint pushers_user_id_device_id_fkey FOREIGN KEY (user_id, device_id) REFERENCES devices(user_id, device_id) ON DELETE CASCADE;

create table quarantine_changes (
  change_id bigint not null, -- number
  media_id text collate "C" not null, -- id
  is_quarantined boolean not null, -- flag
  changed_ts bigint not null -- time
);
alter table quarantine_changes add constraint quarantine_changes_pkey PRIMARY KEY (change_id);

create unlogged table rate_limits (
  key text collate "C" not null, -- hash
  tokens double precision not null, -- number
  updated_ts bigint not null -- time
);
alter table rate_limits add constraint rate_limits_pkey PRIMARY KEY (key);

create table receipts (
  room_nid bigint not null, -- number
  user_id text collate "C" not null, -- id
  receipt_type text collate "C" not null, -- protocol
  thread text collate "C" not null, -- id
  event_id text collate "C" not null, -- id
  event_position bigint not null, -- number
  receipt_ts bigint not null, -- time
  position bigint not null -- number
);
CREATE INDEX receipts_by_position ON public.receipts USING btree (room_nid, "position");
alter table receipts add constraint receipts_pkey PRIMARY KEY (room_nid, user_id, receipt_type, thread);

create table refresh_tokens (
  token_hash bytea not null, -- hash
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  access_token_id bigint not null, -- number
  next_hash bytea, -- hash
  created_ts bigint not null -- time
);
CREATE INDEX refresh_tokens_by_device ON public.refresh_tokens USING btree (user_id, device_id);
alter table refresh_tokens add constraint refresh_tokens_pkey PRIMARY KEY (token_hash);
alter table refresh_tokens add constraint refresh_tokens_user_id_device_id_fkey FOREIGN KEY (user_id, device_id) REFERENCES devices(user_id, device_id) ON DELETE CASCADE;

create table registration_nonces (
  nonce_hash bytea not null, -- hash
  expires_ts bigint not null -- time
);
alter table registration_nonces add constraint registration_nonces_pkey PRIMARY KEY (nonce_hash);

create table registration_tokens (
  token text collate "C" not null, -- secret
  uses_allowed integer, -- number
  completed integer not null default 0, -- number
  expires_ts bigint, -- time
  created_ts bigint not null -- time
);
alter table registration_tokens add constraint registration_tokens_pkey PRIMARY KEY (token);

create unlogged table rendezvous_sessions (
  id_hash bytea not null, -- hash
  revision text collate "C" not null, -- number
  payload bytea not null, -- protocol
  modified_ts bigint not null, -- time
  expires_ts bigint not null -- time
);
CREATE INDEX rendezvous_sessions_by_end ON public.rendezvous_sessions USING btree (expires_ts);
alter table rendezvous_sessions add constraint rendezvous_sessions_pkey PRIMARY KEY (id_hash);

create table reports (
  report_id bigint not null, -- number
  position bigint not null, -- number
  reporter text collate "C" not null, -- id
  room_id text collate "C", -- id
  event_id text collate "C", -- id
  user_id text collate "C", -- id
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  created_ts bigint not null -- time
);
CREATE INDEX reports_by_age ON public.reports USING btree (created_ts);
alter table reports add constraint reports_pkey PRIMARY KEY (report_id);

create table retention_certificates (
  certificate_id text collate "C" not null, -- id
  job_id text collate "C" not null, -- id
  policy_id text collate "C" not null, -- setting
  gone_ts bigint not null, -- time
  document text not null, -- setting
  signature text collate "C" not null, -- hash
  keys_gone_ts bigint, -- time
  unreadable_ts bigint, -- time
  last_document text, -- setting
  last_signature text collate "C", -- hash
  key_id text collate "C" not null -- setting
);
CREATE INDEX retention_certificates_by_age ON public.retention_certificates USING btree (gone_ts);
CREATE INDEX retention_certificates_open ON public.retention_certificates USING btree (gone_ts) WHERE (unreadable_ts IS NULL);
alter table retention_certificates add constraint retention_certificates_job_id_policy_id_key UNIQUE (job_id, policy_id);
alter table retention_certificates add constraint retention_certificates_pkey PRIMARY KEY (certificate_id);

create table retention_keys (
  job_id text collate "C" not null, -- id
  policy_id text collate "C" not null, -- setting
  key_id bigint not null, -- number
  is_span boolean not null, -- flag
  master_epoch integer -- number
);
CREATE INDEX retention_keys_by_key ON public.retention_keys USING btree (key_id);
alter table retention_keys add constraint retention_keys_pkey PRIMARY KEY (job_id, policy_id, key_id);

create table retention_policies (
  policy_id text collate "C" not null, -- setting
  draft text not null, -- setting
  version integer not null default 1, -- number
  tried_version integer, -- number
  active text, -- setting
  active_version integer, -- number
  in_force_ts bigint, -- time
  previous text, -- setting
  previous_version integer, -- number
  removed_ts bigint, -- time
  changed_by text collate "C" not null, -- id
  changed_ts bigint not null, -- time
  activated_by text collate "C" -- id
);
alter table retention_policies add constraint retention_policies_pkey PRIMARY KEY (policy_id);

create table retention_progress (
  is_only boolean not null default true, -- flag
  addresses_ts bigint not null default 0, -- time
  begun_ts bigint not null default 0, -- time
  overdue_ms bigint not null default 0 -- time
);
alter table retention_progress add constraint retention_progress_is_only_check CHECK (is_only);
alter table retention_progress add constraint retention_progress_pkey PRIMARY KEY (is_only);

create table retention_rooms (
  room_nid bigint not null, -- number
  policy_id text collate "C", -- setting
  policy_version integer, -- number
  max_ms bigint, -- time
  redacts boolean not null default false, -- flag
  drops_receipts boolean not null default false, -- flag
  state_version bigint not null, -- number
  made_of text collate "C" not null, -- hash
  swept_version bigint, -- number
  swept_ts bigint not null default 0, -- time
  state_due_ts bigint -- time
);
CREATE INDEX retention_rooms_limited ON public.retention_rooms USING btree (room_nid) WHERE (max_ms IS NOT NULL);
alter table retention_rooms add constraint retention_rooms_pkey PRIMARY KEY (room_nid);

create table retention_tallies (
  job_id text collate "C" not null, -- id
  policy_id text collate "C" not null, -- setting
  what text collate "C" not null, -- setting
  count bigint not null -- number
);
alter table retention_tallies add constraint retention_tallies_pkey PRIMARY KEY (job_id, policy_id, what);

create table role_bindings (
  binding_id bigint not null, -- number
  user_id text collate "C" not null, -- id
  role_id text collate "C" not null, -- setting
  scope_kind text collate "C" not null, -- setting
  scope_id text collate "C" not null default ''::text, -- id
  expires_ts bigint, -- time
  reason text not null, -- setting
  granted_by text collate "C" not null, -- id
  granted_ts bigint not null -- time
);
CREATE INDEX role_bindings_by_role ON public.role_bindings USING btree (role_id);
CREATE INDEX role_bindings_by_scope ON public.role_bindings USING btree (scope_kind, scope_id);
CREATE INDEX role_bindings_by_user ON public.role_bindings USING btree (user_id);
alter table role_bindings add constraint role_bindings_pkey PRIMARY KEY (binding_id);
alter table role_bindings add constraint role_bindings_scope_kind_check CHECK ((scope_kind = ANY (ARRAY['server'::text, 'group'::text, 'space'::text, 'room'::text, 'users'::text])));

create table room_aliases (
  alias text collate "C" not null, -- id
  room_nid bigint not null, -- number
  creator text collate "C" not null, -- id
  created_ts bigint not null -- time
);
CREATE INDEX room_aliases_room ON public.room_aliases USING btree (room_nid);
alter table room_aliases add constraint room_aliases_pkey PRIMARY KEY (alias);
alter table room_aliases add constraint room_aliases_room_nid_fkey FOREIGN KEY (room_nid) REFERENCES rooms(room_nid);

create table room_attributes (
  room_nid bigint not null, -- number
  attributes text not null, -- setting
  set_by text collate "C" not null, -- id
  set_ts bigint not null -- time
);
alter table room_attributes add constraint room_attributes_pkey PRIMARY KEY (room_nid);

create unlogged table room_turns (
  room_nid bigint not null, -- number
  holder text collate "C" not null, -- number
  expires_ts timestamp with time zone not null -- time
);
alter table room_turns add constraint room_turns_pkey PRIMARY KEY (room_nid);

create table rooms (
  room_nid bigint not null, -- number
  room_id text collate "C" not null, -- id
  room_version text collate "C" not null, -- setting
  state_version bigint not null default 0, -- number
  snapshot_id bigint, -- number
  is_published boolean not null default false, -- flag
  is_resident boolean not null default true, -- flag
  has_daily_keys boolean not null default false, -- flag
  expired_position bigint not null default 0, -- number
  joined_members integer not null default 0, -- number
  invited_members integer not null default 0, -- number
  created_ts bigint not null -- time
);
CREATE INDEX rooms_published ON public.rooms USING btree (room_nid) WHERE is_published;
alter table rooms add constraint rooms_pkey PRIMARY KEY (room_nid);
alter table rooms add constraint rooms_room_id_key UNIQUE (room_id);

create table schema_migrations (
  version integer not null, -- number
  name text collate "C" not null, -- setting
  hash text collate "C" not null, -- hash
  applied_ts bigint not null -- time
);
alter table schema_migrations add constraint schema_migrations_pkey PRIMARY KEY (version);

create table search_events (
  nid bigint not null, -- number
  room_nid bigint not null, -- number
  position bigint not null, -- number
  span text collate "C" not null, -- time
  words bigint[] not null -- hash
);
CREATE INDEX search_events_by_span ON public.search_events USING btree (room_nid, span);
CREATE INDEX search_events_words ON public.search_events USING gin (words);
alter table search_events add constraint search_events_pkey PRIMARY KEY (nid);

create table search_progress (
  is_only boolean not null default true, -- flag
  position bigint not null -- number
);
alter table search_progress add constraint search_progress_is_only_check CHECK (is_only);
alter table search_progress add constraint search_progress_pkey PRIMARY KEY (is_only);

create table search_spans (
  room_nid bigint not null, -- number
  span text collate "C" not null, -- time
  key_id bigint not null, -- number
  pending_from bigint -- number
);
CREATE INDEX search_spans_by_key ON public.search_spans USING btree (key_id);
CREATE INDEX search_spans_pending ON public.search_spans USING btree (pending_from, room_nid) WHERE (pending_from IS NOT NULL);
alter table search_spans add constraint search_spans_pkey PRIMARY KEY (room_nid, span);

create table server_settings (
  name text collate "C" not null, -- setting
  value text not null -- setting
);
alter table server_settings add constraint server_settings_pkey PRIMARY KEY (name);

create table sliding_sync_states (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  conn_id text collate "C" not null, -- id
  seq bigint not null, -- number
  state_id bigint not null, -- number
  parent_id bigint, -- number
  change bytea not null, -- protocol
  created_ts bigint not null -- time
);
CREATE INDEX sliding_sync_states_by_age ON public.sliding_sync_states USING btree (created_ts);
alter table sliding_sync_states add constraint sliding_sync_states_pkey PRIMARY KEY (user_id, device_id, conn_id, seq, state_id);

create table state_changes (
  room_nid bigint not null, -- number
  position bigint not null, -- number
  type text collate "C" not null, -- protocol
  state_key text collate "C" not null, -- id
  old_nid bigint, -- number
  new_nid bigint -- number
);
CREATE INDEX state_changes_by_key ON public.state_changes USING btree (room_nid, type, state_key, "position");
alter table state_changes add constraint state_changes_pkey PRIMARY KEY (room_nid, "position", type, state_key);

create table state_snapshots (
  snapshot_id bigint not null, -- number
  room_nid bigint not null, -- number
  parent_id bigint, -- number
  hops smallint not null, -- number
  size integer not null, -- number
  added bytea not null, -- number
  removed bytea not null, -- number
  hash bytea not null -- hash
);
CREATE INDEX state_snapshots_by_hash ON public.state_snapshots USING btree (room_nid, hash);
alter table state_snapshots add constraint state_snapshots_pkey PRIMARY KEY (snapshot_id);

create table stays (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  joined_position bigint not null, -- number
  left_position bigint -- number
);
CREATE INDEX stays_by_join ON public.stays USING btree (room_nid, joined_position);
CREATE INDEX stays_by_leave ON public.stays USING btree (room_nid, left_position) WHERE (left_position IS NOT NULL);
alter table stays add constraint stays_pkey PRIMARY KEY (user_id, room_nid, joined_position);

create table stripped_states (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
alter table stripped_states add constraint stripped_states_pkey PRIMARY KEY (user_id, room_nid);

create table third_party_ids (
  user_id text collate "C" not null, -- id
  medium text collate "C" not null, -- protocol
  address_hash bytea not null, -- hash
  key_id bigint not null, -- number
  sealed bytea not null, -- sealed
  created_ts bigint not null -- time
);
CREATE INDEX third_party_ids_by_address ON public.third_party_ids USING btree (address_hash, created_ts);
alter table third_party_ids add constraint third_party_ids_medium_check CHECK ((medium = ANY (ARRAY['email'::text, 'msisdn'::text])));
alter table third_party_ids add constraint third_party_ids_pkey PRIMARY KEY (user_id, medium, address_hash);
alter table third_party_ids add constraint third_party_ids_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id);

create table thread_subscriptions (
  user_id text collate "C" not null, -- id
  room_nid bigint not null, -- number
  thread text collate "C" not null, -- id
  is_subscribed boolean not null, -- flag
  is_automatic boolean not null, -- flag
  position bigint not null -- number
);
CREATE INDEX thread_subscriptions_by_position ON public.thread_subscriptions USING btree (user_id, "position");
CREATE INDEX thread_subscriptions_by_thread ON public.thread_subscriptions USING btree (room_nid, thread) WHERE is_subscribed;
alter table thread_subscriptions add constraint thread_subscriptions_pkey PRIMARY KEY (user_id, room_nid, thread);

create table threads (
  room_nid bigint not null, -- number
  thread text collate "C" not null, -- id
  replies bigint not null, -- number
  last_position bigint not null -- number
);
CREATE INDEX threads_by_last_reply ON public.threads USING btree (room_nid, last_position) WHERE (replies > 0);
alter table threads add constraint threads_pkey PRIMARY KEY (room_nid, thread);

create table to_device (
  user_id text collate "C" not null, -- id
  device_id text collate "C" not null, -- id
  position bigint not null, -- number
  ordinal smallint not null default 0, -- number
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
alter table to_device add constraint to_device_pkey PRIMARY KEY (user_id, device_id, "position", ordinal);

create table told_reads (
  is_only boolean not null default true, -- flag
  seq bigint -- number
);
alter table told_reads add constraint told_reads_is_only_check CHECK (is_only);
alter table told_reads add constraint told_reads_pkey PRIMARY KEY (is_only);

create unlogged table typing (
  room_nid bigint not null, -- number
  user_id text collate "C" not null, -- id
  expires_ts bigint not null, -- time
  mark bigint not null -- number
);
CREATE INDEX typing_by_end ON public.typing USING btree (expires_ts) WHERE (expires_ts > 0);
alter table typing add constraint typing_pkey PRIMARY KEY (room_nid, user_id);

create table uia_sessions (
  session_id text collate "C" not null, -- secret
  operation text not null, -- protocol
  completed text[] not null default '{}'::text[], -- protocol
  details jsonb not null default '{}'::jsonb, -- id
  created_ts bigint not null -- time
);
alter table uia_sessions add constraint uia_sessions_pkey PRIMARY KEY (session_id);

create unlogged table url_preview_fetches (
  url_hash bytea not null, -- hash
  holder uuid not null, -- number
  expires_ts timestamp with time zone not null -- time
);
alter table url_preview_fetches add constraint url_preview_fetches_pkey PRIMARY KEY (url_hash);

create table url_previews (
  url_hash bytea not null, -- hash
  fetched_ts bigint not null, -- time
  expires_ts bigint not null, -- time
  is_failure boolean not null, -- flag
  media_id text collate "C", -- id
  key_id bigint not null, -- number
  sealed bytea not null -- sealed
);
CREATE INDEX url_previews_by_age ON public.url_previews USING btree (fetched_ts);
CREATE INDEX url_previews_by_key ON public.url_previews USING btree (key_id) WHERE (key_id <> 0);
alter table url_previews add constraint url_previews_pkey PRIMARY KEY (url_hash, fetched_ts);

create table user_activity (
  user_id text collate "C" not null, -- id
  last_seen_ts bigint not null -- time
);
alter table user_activity add constraint user_activity_pkey PRIMARY KEY (user_id);

create table user_attributes (
  user_id text collate "C" not null, -- id
  attributes text not null, -- setting
  set_by text collate "C" not null, -- id
  set_ts bigint not null -- time
);
alter table user_attributes add constraint user_attributes_pkey PRIMARY KEY (user_id);

create table user_group_members (
  group_id text collate "C" not null, -- setting
  user_id text collate "C" not null, -- id
  added_by text collate "C" not null, -- id
  added_ts bigint not null -- time
);
CREATE INDEX user_group_members_by_user ON public.user_group_members USING btree (user_id);
alter table user_group_members add constraint user_group_members_group_id_fkey FOREIGN KEY (group_id) REFERENCES user_groups(group_id) ON DELETE CASCADE;
alter table user_group_members add constraint user_group_members_pkey PRIMARY KEY (group_id, user_id);

create table user_groups (
  group_id text collate "C" not null, -- setting
  description text not null, -- setting
  created_by text collate "C" not null, -- id
  created_ts bigint not null -- time
);
alter table user_groups add constraint user_groups_pkey PRIMARY KEY (group_id);

create table users (
  user_id text collate "C" not null, -- id
  password_hash text, -- secret
  is_deactivated boolean not null default false, -- flag
  is_locked boolean not null default false, -- flag
  is_ending boolean not null default false, -- flag
  is_suspended boolean not null default false, -- flag
  is_guest boolean not null default false, -- flag
  created_ts bigint not null, -- time
  erased_position bigint, -- number
  user_type text collate "C", -- setting
  is_shadow_banned boolean not null default false, -- flag
  messages_per_second integer, -- number
  burst_count integer, -- number
  expires_ts bigint, -- time
  keys_open_until_ts bigint -- time
);
CREATE INDEX users_deactivated ON public.users USING btree (user_id) WHERE is_deactivated;
alter table users add constraint users_pkey PRIMARY KEY (user_id);

create table wiped_tokens (
  token_hash bytea not null, -- hash
  wipe_id text collate "C" not null -- id
);
CREATE INDEX wiped_tokens_by_wipe ON public.wiped_tokens USING btree (wipe_id);
alter table wiped_tokens add constraint wiped_tokens_pkey PRIMARY KEY (token_hash);
alter table wiped_tokens add constraint wiped_tokens_wipe_id_fkey FOREIGN KEY (wipe_id) REFERENCES device_wipes(wipe_id) ON DELETE CASCADE;

create table withheld_rooms (
  user_id text collate "C" not null, -- id
  digest text collate "C" not null, -- hash
  room_nids bigint[] not null, -- number
  used_ts bigint not null -- time
);
alter table withheld_rooms add constraint withheld_rooms_pkey PRIMARY KEY (user_id, digest);

CREATE OR REPLACE FUNCTION public.add_erased(p_job text, p_what text, p_count bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into erasure_tallies as known (job_id, what, count)
  select p_job, p_what, p_count where p_count > 0
  on conflict (job_id, what) do update set count = known.count + excluded.count
$function$
;

CREATE OR REPLACE FUNCTION public.add_tally(p_job text, p_policy text, p_what text, p_count bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into retention_tallies as known (job_id, policy_id, what, count)
  select p_job, p_policy, p_what, p_count where p_count > 0
  on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
$function$
;

CREATE OR REPLACE FUNCTION public.back_up_keys(p_user text, p_version bigint, p_rooms text[], p_sessions text[], p_indexes bigint[], p_forwards bigint[], p_verified boolean[], p_key bigint, p_sealed bytea[], p_most_keys bigint, p_most_bytes bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  latest bigint;
  answer jsonb;
begin
  -- Writers of one backup go one after the other, so its counts are what is stored.
  select version into latest from key_backups
  where user_id = p_user and not is_deleted order by version desc limit 1 for no key update;
  if latest is distinct from p_version then
    return jsonb_build_object('status', 'wrong-version', 'current', latest);
  end if;
  perform from keys where key_id = p_key for key share;
  if p_key <> 0 and not found then
    return '{"status": "key"}';
  end if;

  with offered as (
    select * from unnest(p_rooms, p_sessions, p_indexes, p_forwards, p_verified, p_sealed)
      as o(room_id, session_id, first_message_index, forwarded_count, is_verified, sealed)
  ), better as materialized (
    select o.*, k.user_id is null as is_new,
      octet_length(o.sealed) - coalesce(octet_length(k.sealed), 0) as bytes
    from offered o left join backed_up_keys k on k.user_id = p_user and k.version = p_version
      and k.room_id = o.room_id and k.session_id = o.session_id
    where k.user_id is null or (o.is_verified, k.first_message_index, k.forwarded_count)
      > (k.is_verified, o.first_message_index, o.forwarded_count)
  ), added as materialized (
    select count(*) filter (where is_new) as key_count, coalesce(sum(bytes), 0)::bigint as key_bytes,
      count(*) as changes
    from better
  ), fitting as materialized (
    select added.* from added, (
      select sum(key_count) as key_count, sum(key_bytes) as key_bytes from key_backups where user_id = p_user
    ) held
    where held.key_count + added.key_count <= p_most_keys and held.key_bytes + added.key_bytes <= p_most_bytes
  ), stored as (
    insert into backed_up_keys (user_id, version, room_id, session_id, first_message_index, forwarded_count,
      is_verified, key_id, sealed)
    select p_user, p_version, b.room_id, b.session_id, b.first_message_index, b.forwarded_count, b.is_verified,
      p_key, b.sealed
    from better b, fitting
    on conflict (user_id, version, room_id, session_id) do update set
      first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
      is_verified = excluded.is_verified, key_id = excluded.key_id, sealed = excluded.sealed
  )
  update key_backups b set etag = b.etag + (f.changes > 0)::int, key_count = b.key_count + f.key_count,
    key_bytes = b.key_bytes + f.key_bytes
  from fitting f where b.user_id = p_user and b.version = p_version
  returning jsonb_build_object('status', 'stored', 'etag', b.etag, 'count', b.key_count) into answer;
  return coalesce(answer, '{"status": "full"}');
end $function$
;

CREATE OR REPLACE FUNCTION public.commit_batch(p_batch uuid, p_now bigint, p_positions integer[], p_events jsonb, p_skeletons text[], p_first_keys bigint[], p_second_keys bigint[], p_sealed bytea[], p_rows jsonb, p_rooms bigint[], p_users text[])
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  n integer := cardinality(p_positions);
  -- Why a write was lost, by its number; null for the winners.
  lost jsonb[] := array_fill(null::jsonb, array[n]);
  -- The position before a winner's first one.
  starts bigint[] := array_fill(null::bigint, array[n]);
  has_losers boolean := false;
  loser record;
  base bigint;
  head bigint;
  i integer;
  chain bytea;
  chain_seq bigint;
  hint text;
  arrived_at timestamptz;
  waited_ms double precision;
  -- Extremities of the writes' rooms that others left meanwhile.
  beside jsonb;
begin
  -- Whoever destroys and whoever places a hold wait for each other before they lock anything else.
  if p_rows ? 'holds' then
    perform pg_advisory_xact_lock(hashtext('myelin holds'));
  elsif p_rows ?| '{redactions,placed_outliers,removed_media,removed_url_previews,account_data,profile_fields,removed_profile_fields,cleared_users,removed_reports}' then
    perform lock_against_holds();
  end if;

  -- Idempotency: an insert waits for a twin under way, then loses to it.
  if p_rows ? 'idempotency' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'idempotency') as r(w int, i int, key bytea, answer text)
      ), inserted as (
        insert into idempotency (key, answer, created_ts)
        select key, answer, p_now from wanted order by key
        on conflict do nothing returning key
      )
      select w, min(i) as i from wanted where key not in (select key from inserted) group by w
    loop
      lost[loser.w + 1] := jsonb_build_object('status', 'duplicate', 'index', loser.i);
      has_losers := true;
    end loop;
    if has_losers then
      -- The twin's row is visible only to a new statement.
      for loser in
        select r.w, idempotency.answer
        from jsonb_to_recordset(p_rows->'idempotency') as r(w int, i int, key bytea) join idempotency using (key)
        where (lost[r.w + 1]->>'index')::int = r.i
      loop
        lost[loser.w + 1] := lost[loser.w + 1] || jsonb_build_object('answer', loser.answer);
      end loop;
    end if;
  end if;

  -- Messages only compare a room's state: those of several processes do not wait for each
  -- other. Whoever changes a room waits for all, and all for them, in the order of their
  -- arrival: row locks would let messages pass for ever.
  if p_rows ?| '{room_states,room_publications,redactions}' or p_rows->'rooms' @> '[{"is_exclusive": true}]' then
    perform pg_advisory_xact_lock(hashtext('myelin room'), bucket) from (
      select distinct (room_nid % 256)::int as bucket
      from jsonb_to_recordset(coalesce(p_rows->'rooms', '[]') || coalesce(p_rows->'room_publications', '[]'))
        as r(room_nid bigint)
      order by bucket) as buckets;
  elsif p_rows ? 'rooms' then
    perform pg_advisory_xact_lock_shared(hashtext('myelin room'), bucket) from (
      select distinct (room_nid % 256)::int as bucket
      from jsonb_to_recordset(p_rows->'rooms') as r(room_nid bigint)
      order by bucket) as buckets;
  end if;
  if p_rows ? 'rooms' then
    for loser in
      select distinct r.w
      from jsonb_to_recordset(p_rows->'rooms')
        as r(w int, room_nid bigint, state_version bigint, cited bigint[], is_exclusive boolean, turn text)
      where r.state_version is not null
        and (r.state_version is distinct from (select rooms.state_version from rooms where rooms.room_nid = r.room_nid)
          or exists (
            select from room_turns t where t.room_nid = r.room_nid and t.holder is distinct from r.turn
              and t.expires_ts > clock_timestamp())
          or r.is_exclusive and exists (
            select from forward_extremities f where f.room_nid = r.room_nid and f.nid <> all(r.cited)))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "room"}');
      has_losers := true;
    end loop;
  end if;

  -- What must be new: the insert decides.
  if p_rows ? 'new_rooms' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_rooms')
          as r(w int, room_nid bigint, room_id text, room_version text, is_resident boolean, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into rooms (room_nid, room_id, room_version, is_resident, created_ts)
        select room_nid, room_id, room_version, is_resident, created_ts from wanted order by room_id
        on conflict do nothing returning room_nid
      )
      select w from wanted where room_nid not in (select room_nid from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "room"}';
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'new_users' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_users')
          as r(w int, user_id text, password_hash text, is_guest boolean, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into users (user_id, password_hash, is_guest, created_ts)
        select user_id, password_hash, is_guest, created_ts from wanted order by user_id
        on conflict do nothing returning user_id
      )
      select w from wanted where user_id not in (select user_id from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "user"}';
      has_losers := true;
    end loop;
  end if;

  -- A user's row guards the user and the devices: whoever changes them beyond the
  -- head, where nothing may wait, locks it here.
  if p_rows ?| '{user_updates,devices,removed_devices,only_devices,new_tokens}' then
    perform from users where user_id in (
      select user_id from jsonb_to_recordset(coalesce(p_rows->'user_updates', '[]') || coalesce(p_rows->'devices', '[]')
        || coalesce(p_rows->'removed_devices', '[]') || coalesce(p_rows->'new_tokens', '[]')
        || coalesce(p_rows->'only_devices', '[]')
        || coalesce(p_rows->'active_users', '[]') || coalesce(p_rows->'live_devices', '[]')) as r(user_id text))
    order by user_id for no key update;
  elsif p_rows ?| '{active_users,live_devices}' then
    perform from users where user_id in (
      select user_id from jsonb_to_recordset(
        coalesce(p_rows->'active_users', '[]') || coalesce(p_rows->'live_devices', '[]')) as r(user_id text))
    order by user_id for share;
  end if;
  if p_rows ? 'active_users' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'active_users') as r(w int, user_id text)
      where not exists (select from users where users.user_id = r.user_id and not is_deactivated)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "inactive-user"}');
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'live_devices' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'live_devices') as r(w int, user_id text, device_id text)
      where not exists (select from devices where devices.user_id = r.user_id and devices.device_id = r.device_id)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "missing-device"}');
      has_losers := true;
    end loop;
  end if;

  -- Whoever ends all devices of a user ends those too that others have opened meanwhile.
  if p_rows ? 'only_devices' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'only_devices') as r(w int, user_id text, device_ids text[])
      where exists (
          select from devices where devices.user_id = r.user_id and devices.device_id <> all(r.device_ids))
        or exists (
          select from jsonb_to_recordset(p_rows->'devices') as n(w int, user_id text)
          where n.user_id = r.user_id and n.w < r.w and lost[n.w + 1] is null)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "other-device"}');
      has_losers := true;
    end loop;
  end if;

  -- A device that sleeps has no session, and one that has a session is not put to sleep.
  if p_rows ?| '{new_tokens,dehydrated_devices}' then
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'new_tokens') as r(w int, user_id text, device_id text)
      where (select d.device_id from dehydrated_devices d where d.user_id = r.user_id) = r.device_id
        or exists (
          select from jsonb_to_recordset(p_rows->'dehydrated_devices') as d(user_id text, device_id text)
          where d.user_id = r.user_id and d.device_id = r.device_id)
      union
      select r.w from jsonb_to_recordset(p_rows->'dehydrated_devices') as r(w int, user_id text, device_id text)
      where (
        select t.device_id from access_tokens t
        where t.user_id = r.user_id and t.device_id = r.device_id limit 1) is not null
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "device"}');
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'new_aliases' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_aliases')
          as r(w int, alias text, room_nid bigint, creator text, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into room_aliases (alias, room_nid, creator, created_ts)
        select alias, room_nid, creator, created_ts from wanted order by alias
        on conflict do nothing returning alias
      )
      select distinct w from wanted where alias not in (select alias from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "alias"}';
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'keys' then
    for loser in
      with locked as (
        select keys.key_id from keys
        where key_id in (select key_id from jsonb_to_recordset(p_rows->'keys') as r(key_id bigint))
        order by key_id for key share
      )
      select distinct r.w from jsonb_to_recordset(p_rows->'keys') as r(w int, key_id bigint)
      where r.key_id not in (select key_id from locked)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "key"}');
      has_losers := true;
    end loop;
  end if;

  -- Who may do what changes by what is true when it commits; one write of a batch does.
  if p_rows ? 'authority' then
    perform from authority for update;
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'authority') as r(w int, version bigint)
      where r.version <> (select authority.version from authority)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "authority"}');
      has_losers := true;
    end loop;
  end if;

  -- An approval is used once, while it holds; who may approve is as it was when that was looked at.
  if p_rows ?| '{approval_uses,approval_changes}' then
    perform from authority for share;
    perform from approvals where approval_id in (
      select approval_id from jsonb_to_recordset(
        coalesce(p_rows->'approval_uses', '[]') || coalesce(p_rows->'approval_changes', '[]')) as r(approval_id text))
    order by approval_id for update;
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'approval_uses') as r(w int, approval_id text, version bigint)
      where r.version <> (select authority.version from authority) or not exists (
        select from approvals a where a.approval_id = r.approval_id and a.state = 'approved' and a.expires_ts > database_ms())
      union
      select r.w from jsonb_to_recordset(p_rows->'approval_changes')
        as r(w int, approval_id text, before text, version bigint, reviewed_by text)
      where r.version <> (select authority.version from authority) or not exists (
        select from approvals a where a.approval_id = r.approval_id
          and (case when r.reviewed_by is null then a.state = r.before and a.expires_ts > database_ms()
            else a.reviewed_by is null end))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "approval"}');
      has_losers := true;
    end loop;
  end if;
  if p_rows ? 'approvals' then
    -- What stood in the way waits no more, whether this one is stored or not.
    update approvals set state = case when approvals.expires_ts <= database_ms() then 'expired' else 'void' end
    from jsonb_to_recordset(p_rows->'approvals') as r(w int, requested_by text, request_hash text, replaces text)
    where (approvals.requested_by, approvals.request_hash) = (r.requested_by, r.request_hash)
      and (approvals.state = 'pending' and approvals.expires_ts <= database_ms()
        or approvals.approval_id = r.replaces and approvals.state in ('pending', 'approved'));
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'approvals')
          as r(w int, approval_id text, requested_by text, request_hash text, permissions text[], user_id text, room_id text,
            requested_ts bigint, wait_ms bigint, key_id bigint, sealed bytea)
        where lost[w + 1] is null
      ), inserted as (
        insert into approvals (approval_id, requested_by, request_hash, permissions, user_id, room_id, state, requested_ts,
          expires_ts, key_id, sealed)
        select approval_id, requested_by, request_hash, permissions, user_id, room_id, 'pending', requested_ts,
          database_ms() + wait_ms, key_id, sealed
        from wanted order by requested_by, request_hash
        on conflict do nothing returning approval_id
      )
      select w from wanted where approval_id not in (select approval_id from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "approval"}';
      has_losers := true;
    end loop;
  end if;

  -- Rows that are not of the stream: who holds them just now is waited for here, not beyond the head.
  if p_rows ? 'cancelled_admin_jobs' then
    perform from admin_jobs
    where job_id in (select job_id from jsonb_to_recordset(p_rows->'cancelled_admin_jobs') as r(job_id text))
    order by job_id for update;
  end if;
  if p_rows ?| '{quarantined_media,released_media,media_protections,removed_media}' then
    perform from media where media_id = any(array(
      select media_id from jsonb_to_recordset(
        coalesce(p_rows->'quarantined_media', '[]') || coalesce(p_rows->'released_media', '[]')
        || coalesce(p_rows->'media_protections', '[]') || coalesce(p_rows->'removed_media', '[]')) as r(media_id text)))
    order by media_id for update;
  end if;
  if p_rows ? 'removed_media' then
    perform from media_blobs where blob_id = any(array(
      select media.blob_id from media
      where media_id = any(array(select media_id from jsonb_to_recordset(p_rows->'removed_media') as r(media_id text)))))
    order by blob_id for update;
    -- Nothing is recorded as gone that a hold keeps.
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'removed_media') as r(w int, media_id text)
      where is_media_held(r.media_id)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "hold"}');
      has_losers := true;
    end loop;
  end if;

  -- The last of the preconditions, so that no use has to be given back.
  if p_rows ? 'registration_token_uses' then
    for loser in
      select * from jsonb_to_recordset(p_rows->'registration_token_uses') as r(w int, token text, now_ts bigint)
      where lost[w + 1] is null order by token
    loop
      update registration_tokens set completed = completed + 1
      where token = loser.token and (uses_allowed is null or completed < uses_allowed)
        and (expires_ts is null or expires_ts > loser.now_ts);
      if not found then
        lost[loser.w + 1] := '{"status": "conflict", "over": "registration-token"}';
        has_losers := true;
      end if;
    end loop;
  end if;

  if p_rows ? 'audit' then
    perform pg_advisory_xact_lock(hashtext('myelin audit head'));
  end if;

  -- The head. From here to COMMIT nothing waits for anyone.
  arrived_at := clock_timestamp();
  perform pg_advisory_xact_lock(hashtext('myelin stream head'));
  waited_ms := extract(epoch from clock_timestamp() - arrived_at) * 1000;

  -- What another process said just now, alike and on the same event, is one event.
  if p_rows ? 'rooms' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'rooms') as r(w int, state_version bigint, absent text[])
      where state_version is not null and exists (select from events where event_id = any(r.absent))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "room"}');
      has_losers := true;
    end loop;
  end if;

  -- Nobody of this server comes into a room that is blocked, or is asked into it, whichever was first.
  if p_rows ? 'memberships' and exists (select from blocked_rooms) then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'memberships')
        as r(w int, user_id text, room_nid bigint, membership text, sender text)
      where r.membership in ('join', 'invite', 'knock')
        and exists (select from rooms join blocked_rooms using (room_id) where rooms.room_nid = r.room_nid)
        and exists (select from users where users.user_id = r.sender)
        and not exists (
          select from memberships m
          where m.user_id = r.user_id and m.room_nid = r.room_nid and m.membership = 'join')
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "blocked-room"}');
      has_losers := true;
    end loop;
  end if;

  -- Whom an event notifies was decided by push rules seen up to a position. Whoever
  -- missed a change of a member's rules, in this batch or before, loses.
  if p_rows ? 'rooms' then
    if p_rows ? 'account_data' or exists (
      select from jsonb_to_recordset(p_rows->'rooms') as r(rules_seen bigint) where r.rules_seen < (
        select max(position) from account_data where room_nid = 0 and type = 'm.push_rules'))
    then
      for loser in
        with runs as materialized (
          select * from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, rules_seen bigint)
          where rules_seen is not null and lost[w + 1] is null
        ), changes as materialized (
          select user_id, position, null::int as w from account_data
          where room_nid = 0 and type = 'm.push_rules' and position > (select min(rules_seen) from runs)
          union all
          select user_id, null, w
          from jsonb_to_recordset(coalesce(p_rows->'account_data', '[]'))
            as r(w int, user_id text, room_nid bigint, type text)
          where room_nid = 0 and type = 'm.push_rules' and lost[w + 1] is null
        )
        select distinct runs.w
        from runs join changes on changes.position > runs.rules_seen or changes.w < runs.w
        where exists (
          select from memberships m
          where m.user_id = changes.user_id and m.room_nid = runs.room_nid and m.membership = 'join')
      loop
        lost[loser.w + 1] := '{"status": "conflict", "over": "push-rules"}';
        has_losers := true;
      end loop;
    end if;
  end if;

  -- Whether somebody takes an invite was decided by account data as it stood. Whoever
  -- missed a change of it, in this batch or before, loses.
  if p_rows ? 'invite_grounds' then
    for loser in
      with grounds as (
        select * from jsonb_to_recordset(p_rows->'invite_grounds') as r(w int, user_id text, seen bigint)
      )
      select w from grounds where seen < (
        select max(a.position) from account_data a
        where a.user_id = grounds.user_id and a.room_nid = 0
          and a.type in ('m.invite_permission_config', 'org.matrix.msc4155.invite_permission_config'))
      union
      select g.w from grounds g join jsonb_to_recordset(p_rows->'account_data')
        as c(w int, user_id text, room_nid bigint, type text) on c.user_id = g.user_id and c.room_nid = 0
      where c.type in ('m.invite_permission_config', 'org.matrix.msc4155.invite_permission_config')
        and c.w < g.w and lost[c.w + 1] is null
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "invite-permission"}');
      has_losers := true;
    end loop;
  end if;

  -- What a loser had claimed before it lost is given back.
  if has_losers then
    delete from idempotency using jsonb_to_recordset(coalesce(p_rows->'idempotency', '[]')) as r(w int, i int, key bytea)
    where idempotency.key = r.key and lost[r.w + 1] is not null and idempotency.xmin = pg_current_xact_id()::xid;
    if p_rows ? 'approvals' then
      delete from approvals using jsonb_to_recordset(p_rows->'approvals') as r(w int, approval_id text)
      where approvals.approval_id = r.approval_id and lost[r.w + 1] is not null and approvals.xmin = pg_current_xact_id()::xid;
    end if;
    delete from room_aliases using jsonb_to_recordset(coalesce(p_rows->'new_aliases', '[]')) as r(w int, alias text)
    where room_aliases.alias = r.alias and lost[r.w + 1] is not null and room_aliases.xmin = pg_current_xact_id()::xid;
    delete from users using jsonb_to_recordset(coalesce(p_rows->'new_users', '[]')) as r(w int, user_id text)
    where users.user_id = r.user_id and lost[r.w + 1] is not null and users.xmin = pg_current_xact_id()::xid;
    delete from rooms using jsonb_to_recordset(coalesce(p_rows->'new_rooms', '[]')) as r(w int, room_nid bigint)
    where rooms.room_nid = r.room_nid and lost[r.w + 1] is not null and rooms.xmin = pg_current_xact_id()::xid;
  end if;

  if p_rows ? 'audit' then
    select seq, hash into chain_seq, chain from audit_log order by seq desc limit 1;
    chain_seq := coalesce(chain_seq, 0);
    chain := coalesce(chain, '\x');
    for loser in
      select * from jsonb_to_recordset(p_rows->'audit') as r(w int, i int, record text)
      where lost[w + 1] is null order by w, i
    loop
      chain_seq := chain_seq + 1;
      insert into audit_log (seq, record, prev_hash, hash)
      values (chain_seq, loser.record, chain, sha256(chain || convert_to(chain_seq || ' ' || loser.record, 'UTF8')))
      returning hash into chain;
    end loop;
  end if;

  select coalesce(max(last_position), 0) into base from batches;
  head := base;
  for i in 1 .. n loop
    if lost[i] is null then
      starts[i] := head;
      head := head + p_positions[i];
    end if;
  end loop;

  if p_rows ? 'room_states' then
    update rooms set state_version = r.state_version, snapshot_id = r.snapshot_id
    from jsonb_to_recordset(p_rows->'room_states') as r(w int, room_nid bigint, state_version bigint, snapshot_id bigint)
    where rooms.room_nid = r.room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'room_turns' then
    delete from room_turns t using jsonb_to_recordset(p_rows->'room_turns') as r(w int, room_nid bigint, holder text)
    where t.room_nid = r.room_nid and t.holder = r.holder and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'rooms' then
    -- Each looked up by its number, whatever the plan was made for: those that were replaced
    -- while a snapshot is held are many. Nobody else changes them beyond the head.
    delete from forward_extremities where ctid = any(array(
      select (select f.ctid from forward_extremities f where f.room_nid = r.room_nid and f.nid = cited_nid)
      from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, cited bigint[]), unnest(r.cited) as cited_nid
      where starts[r.w + 1] is not null));

    insert into forward_extremities (room_nid, nid)
    select r.room_nid, left_nid
    from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, "left" bigint[]), unnest(r."left") as left_nid
    where starts[r.w + 1] is not null
    on conflict do nothing;

    -- By the events since the run's head was right, for the same reason.
    select jsonb_agg(jsonb_build_object('w', r.w, 'nid', others.nid, 'eventId', others.event_id, 'depth', others.depth))
    into beside
    from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, seen_to bigint, "left" bigint[])
    cross join lateral (
      select e.nid, e.event_id, e.depth
      from events e
      where e.room_nid = r.room_nid and e.position > r.seen_to and e.nid <> all(r."left") and (
        select f.nid from forward_extremities f where f.room_nid = e.room_nid and f.nid = e.nid) is not null
      limit 21) others
    where starts[r.w + 1] is not null;
  end if;

  -- An outlier that takes its place in the room is stored anew under its number.
  if p_rows ? 'placed_outliers' then
    with placed as (
      delete from events using jsonb_to_recordset(p_rows->'placed_outliers') as r(w int, nid bigint)
      where events.nid = r.nid and events.arrival is null and starts[r.w + 1] is not null
      returning events.nid
    )
    delete from event_contents using placed where event_contents.nid = placed.nid;
  end if;

  if p_skeletons <> '{}' then
    with arrived as (
      select e.*, starts[e.w + 1] + e.o + 1 as position, coalesce(e.thread, 'main') as line
      from rows from (
        jsonb_to_recordset(p_events) as (
          w integer, o integer, nid bigint, room_nid bigint, depth bigint, origin_server_ts bigint, received_ts bigint,
          snapshot_id bigint, snapshot_after bigint, replaces_nid bigint, status smallint, is_countable boolean, has_url boolean,
          event_id text, type text, state_key text, sender text, device_id text, txn_id text, redacts text,
          rel_type text, relates_to text, thread text, refusal text),
        unnest(p_skeletons, p_first_keys, p_second_keys, p_sealed)
      ) as e(
        w, o, nid, room_nid, depth, origin_server_ts, received_ts, snapshot_id, snapshot_after, replaces_nid, status,
        is_countable, has_url, event_id, type, state_key, sender, device_id, txn_id, redacts, rel_type, relates_to, thread, refusal,
        skeleton, first_key, second_key, sealed)
      where starts[e.w + 1] is not null
    ), room_bases as (
      select room_nid, coalesce((
        select events.room_count from events where events.room_nid = r.room_nid and events.position is not null
        order by events.position desc limit 1), 0) as base
      from (select distinct room_nid from arrived where position is not null) r
    ), thread_bases as (
      select room_nid, line, coalesce(case when thread is null then (
        select events.thread_count from events where events.room_nid = t.room_nid and events.thread is null
          and events.position is not null
        order by events.position desc limit 1)
      else (
        select events.thread_count from events where events.room_nid = t.room_nid and events.thread = t.thread
          and events.position is not null
        order by events.position desc limit 1) end, 0) as base
      from (select distinct room_nid, line, thread from arrived where position is not null) t
    ), stored as (
      insert into events (
        nid, room_nid, position, depth, arrival, origin_server_ts, received_ts, snapshot_id, snapshot_after, replaces_nid,
        room_count, thread_count, status, is_countable, has_url, event_id, type, state_key, sender, device_id, txn_id, redacts,
        rel_type, relates_to, thread, refusal, skeleton)
      select a.nid, a.room_nid, a.position, a.depth, a.position, a.origin_server_ts, a.received_ts, a.snapshot_id,
        a.snapshot_after, a.replaces_nid,
        coalesce(room_bases.base, 0) + sum(a.is_countable::int) over (partition by a.room_nid order by a.position),
        coalesce(thread_bases.base, 0) + sum(a.is_countable::int) over (partition by a.room_nid, a.line order by a.position),
        a.status, a.is_countable, a.has_url, a.event_id, a.type, a.state_key, a.sender, a.device_id, a.txn_id, a.redacts,
        a.rel_type, a.relates_to, a.thread, a.refusal, a.skeleton
      from arrived a left join room_bases using (room_nid) left join thread_bases using (room_nid, line)
    ), own as (
      insert into own_positions (room_nid, user_id, thread, slice, position)
      select room_nid, sender, line, max(position) >> 10, max(position) from arrived
      where is_countable and position is not null
      group by room_nid, sender, line
      on conflict (room_nid, user_id, thread, slice) do update set position = excluded.position
      returning room_nid, user_id, thread, slice, xmax = 0 as is_new
    ), outdated as (
      delete from own_positions o using own
      where own.is_new and o.room_nid = own.room_nid and o.user_id = own.user_id and o.thread = own.thread
        and o.slice = (
          select p.slice from own_positions p
          where p.room_nid = own.room_nid and p.user_id = own.user_id and p.thread = own.thread and p.slice < own.slice
          order by p.slice desc limit 1)
    )
    insert into event_contents (nid, first_key, second_key, sealed)
    select nid, first_key, second_key, sealed from arrived where sealed is not null;
  end if;

  if p_rows ? 'snapshots' then
    insert into state_snapshots (snapshot_id, room_nid, parent_id, hops, size, added, removed, hash)
    select snapshot_id, room_nid, parent_id, hops, size, added, removed, hash
    from jsonb_to_recordset(p_rows->'snapshots')
      as r(w int, snapshot_id bigint, room_nid bigint, parent_id bigint, hops smallint, size int, added bytea, removed bytea, hash bytea)
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'state_changes' then
    insert into state_changes (room_nid, position, type, state_key, old_nid, new_nid)
    select room_nid, starts[r.w + 1] + o + 1, type, state_key, old_nid, new_nid
    from jsonb_to_recordset(p_rows->'state_changes')
      as r(w int, o int, room_nid bigint, type text, state_key text, old_nid bigint, new_nid bigint)
    where starts[r.w + 1] is not null;

    with last_changes as (
      select distinct on (room_nid, type, state_key) room_nid, type, state_key, new_nid
      from jsonb_to_recordset(p_rows->'state_changes')
        as r(w int, o int, room_nid bigint, type text, state_key text, new_nid bigint)
      where starts[r.w + 1] is not null
      order by room_nid, type, state_key, w desc, o desc
    ), removed as (
      delete from current_state c using last_changes l
      where l.new_nid is null and c.room_nid = l.room_nid and c.type = l.type and c.state_key = l.state_key
    )
    insert into current_state (room_nid, type, state_key, nid)
    select room_nid, type, state_key, new_nid from last_changes where new_nid is not null
    on conflict (room_nid, type, state_key) do update set nid = excluded.nid;
  end if;

  if p_rows ? 'memberships' then
    insert into memberships (user_id, room_nid, membership, sender, nid, position, since_position)
    select distinct on (user_id, room_nid) user_id, room_nid, membership, sender, nid,
      starts[r.w + 1] + o + 1, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'memberships')
      as r(w int, o int, user_id text, room_nid bigint, membership text, sender text, nid bigint)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, w desc, o desc
    on conflict (user_id, room_nid) do update set membership = excluded.membership, sender = excluded.sender,
      nid = excluded.nid, position = excluded.position, is_forgotten = false,
      since_position = case when memberships.membership = excluded.membership
        then memberships.since_position else excluded.since_position end;

    -- A stay lasts from a join to what ends it.
    with last_memberships as materialized (
      select distinct on (user_id, room_nid) user_id, room_nid, membership, starts[r.w + 1] + o + 1 as position
      from jsonb_to_recordset(p_rows->'memberships')
        as r(w int, o int, user_id text, room_nid bigint, membership text)
      where starts[r.w + 1] is not null
      order by user_id, room_nid, w desc, o desc
    ), ended as (
      update stays s set left_position = l.position from last_memberships l
      where s.user_id = l.user_id and s.room_nid = l.room_nid and s.left_position is null and l.membership <> 'join'
    )
    insert into stays (user_id, room_nid, joined_position)
    select user_id, room_nid, position from last_memberships l
    where membership = 'join' and not exists (
      select from stays s where s.user_id = l.user_id and s.room_nid = l.room_nid and s.left_position is null);
  end if;

  if p_rows - '{idempotency,rooms,keys,active_users,room_states,snapshots,state_changes,memberships}'::text[] <> '{}' then
    perform store_rows(p_rows, starts, p_now);
  end if;

  insert into batches (batch_id, last_position, lost, room_nids, user_ids, committed_ts)
  values (p_batch, case when head > base then head end, case when has_losers or head = base then to_jsonb(lost) end,
    p_rooms, p_users, p_now);

  if head > base then
    hint := json_build_object('id', p_batch, 'from', base, 'to', head, 'rooms', p_rooms, 'users', p_users);
    if octet_length(hint) > 7900 then
      hint := json_build_object('id', p_batch, 'from', base, 'to', head);
    end if;
    perform pg_notify('myelin', hint);
  end if;

  return jsonb_build_object(
    'base', base, 'head', head, 'lost', to_jsonb(lost), 'beside', coalesce(beside, '[]'),
    'waitedMs', waited_ms);
end $function$
;

CREATE OR REPLACE FUNCTION public.count_personal(p_user text, p_tables text[], p_columns text[], p_by_room boolean[])
 RETURNS TABLE(name text, count bigint)
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  for i in 1 .. cardinality(p_tables) loop
    name := p_tables[i];
    execute format('select count(*) from %I t where t.%I = $1%s', p_tables[i], p_columns[i],
      case when p_by_room[i] then ' and t.room_nid = any(array(select m.room_nid from memberships m where m.user_id = $1))' else '' end)
    into count using p_user;
    return next;
  end loop;
end $function$
;

CREATE OR REPLACE FUNCTION public.create_pending_medium(p_media_id text, p_user_id text, p_now bigint, p_expires bigint, p_most integer, p_is_legacy boolean)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.database_ms()
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select (extract(epoch from statement_timestamp()) * 1000)::bigint
$function$
;

CREATE OR REPLACE FUNCTION public.delete_backed_up_keys(p_user text, p_version bigint, p_room text, p_session text, p_most integer)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  targets tid[];
  answer jsonb;
begin
  perform from key_backups where user_id = p_user and version = p_version and not is_deleted for no key update;
  if not found then
    return null;
  end if;
  if p_session is not null then
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version and room_id = p_room and session_id = p_session);
  elsif p_room is not null then
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version and room_id = p_room limit p_most);
  else
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version limit p_most);
  end if;
  with gone as (
    delete from backed_up_keys where ctid = any(targets) returning octet_length(sealed) as bytes
  ), totals as (
    select count(*) as key_count, coalesce(sum(bytes), 0)::bigint as key_bytes from gone
  )
  update key_backups b set etag = b.etag + (t.key_count > 0)::int, key_count = b.key_count - t.key_count,
    key_bytes = b.key_bytes - t.key_bytes
  from totals t where b.user_id = p_user and b.version = p_version
  returning jsonb_build_object('etag', b.etag, 'count', b.key_count, 'deleted', t.key_count) into answer;
  return answer;
end $function$
;

CREATE OR REPLACE FUNCTION public.destroy_file_keys(p_job text, p_holder uuid, p_generation bigint, p_limit integer)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
AS $function$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(key_id), '{}') into doomed from (
    select k.key_id from keys k
    where k.scope = 'user-files' and span_end(k.span) <= database_ms() and is_file_key_idle(k.key_id)
      and k.key_id in (select r.key_id from retention_keys r)
    order by k.key_id limit p_limit for update skip locked) free;
  with gone as (
    delete from keys where key_id = any(doomed) and is_file_key_idle(key_id) returning key_id, master_epoch
  ), noted as (
    update retention_keys set master_epoch = gone.master_epoch from gone where retention_keys.key_id = gone.key_id
    returning retention_keys.job_id, retention_keys.policy_id
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select job_id, policy_id, 'keys', count(*) from noted where job_id = p_job group by 1, 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select coalesce(array_agg(key_id), '{}') into doomed from gone;
  perform pg_notify('myelin', json_build_object('destroyed', doomed)::text);
  return query select unnest(doomed);
end $function$
;

CREATE OR REPLACE FUNCTION public.destroy_released(p_limit bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  contents bigint;
  cited bigint;
  data bigint;
begin
  perform lock_against_holds();
  with released as materialized (
    select kept.nid, hold_of_event(kept.nid) as heir
    from holds h cross join lateral (select nid from held_contents c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_contents set hold_id = r.heir from released r where held_contents.nid = r.nid and r.heir is not null
  ), gone as (
    delete from held_contents using released r where held_contents.nid = r.nid and r.heir is null
  )
  select count(*) into contents from released;
  with released as materialized (
    select kept.nid, kept.media_id, hold_of_event(kept.nid) as heir
    from holds h
    cross join lateral (select nid, media_id from held_references c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_references c set hold_id = r.heir from released r
    where (c.media_id, c.nid) = (r.media_id, r.nid) and r.heir is not null
  ), gone as (
    delete from held_references using released r
    where (held_references.media_id, held_references.nid) = (r.media_id, r.nid) and r.heir is null
  )
  select count(*) into cited from released;
  with released as materialized (
    select kept.held_id, coalesce(hold_of_person(kept.user_id), hold_of_event(kept.nid)) as heir
    from holds h
    cross join lateral (select held_id, user_id, nid from held_data c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_data c set hold_id = r.heir from released r where c.held_id = r.held_id and r.heir is not null
  ), gone as (
    delete from held_data using released r where held_data.held_id = r.held_id and r.heir is null
  )
  select count(*) into data from released;
  return contents + cited + data;
end $function$
;

CREATE OR REPLACE FUNCTION public.destroy_spans(p_job text, p_holder uuid, p_generation bigint, p_keys bigint[])
 RETURNS SETOF bigint
 LANGUAGE plpgsql
AS $function$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with gone as (
    delete from keys using rooms
    where keys.key_id = any(p_keys) and rooms.room_id = keys.owner and not is_span_used(rooms.room_nid, keys.span)
    returning keys.key_id, keys.scope, keys.span, keys.master_epoch, rooms.room_nid
  ), noted as (
    update retention_keys set master_epoch = gone.master_epoch from gone where retention_keys.key_id = gone.key_id
  ), unhashed as (
    delete from search_spans using gone
    where gone.scope = 'room-words' and (search_spans.room_nid, search_spans.span) = (gone.room_nid, gone.span)
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select p_job, coalesce(r.policy_id, ''), 'keys', count(*) from gone left join retention_rooms r using (room_nid) group by 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select coalesce(array_agg(key_id), '{}') into doomed from gone;
  perform pg_notify('myelin', json_build_object('destroyed', doomed)::text);
  return query select unnest(doomed);
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_delayed_events(p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  dropped bigint;
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  with gone as (
    delete from delayed_events where ctid = any(array(
      select ctid from delayed_events
      where finalised_ts <= p_until and not is_user_held(user_id) order by finalised_ts limit p_limit))
    returning key_id
  )
  select count(*), coalesce(array_agg(key_id), '{}') into dropped, sealing from gone;
  perform add_tally(p_job, p_policy, 'delayed events', dropped);
  perform note_sealing(p_job, p_policy, sealing);
  return dropped;
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_media(p_job text, p_holder uuid, p_generation bigint, p_policy text, p_media text[], p_nids bigint[], p_keeps_pictures boolean)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  doomed text[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(media_id), '{}') into doomed from (
    select m.media_id from media m
    where m.media_id = any(p_media) and not m.is_protected and not is_media_held(m.media_id)
      and (p_nids is null or not exists (
        select from media_references r where r.media_id = m.media_id and r.nid <> all(p_nids)))
      and (p_nids is null and not p_keeps_pictures or not is_picture(m.media_id))
    order by m.media_id for update of m) free;
  perform add_tally(p_job, p_policy, 'media', cardinality(doomed));
  perform note_sealing(p_job, p_policy, array(select key_id from media where media_id = any(doomed) and sealed is not null));
  delete from media_references where media_id = any(doomed);
  return query delete from media where media_id = any(doomed) returning blob_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_previews(p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_limit integer)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  dropped bigint;
  pictures text[];
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with gone as (
    delete from url_previews where ctid = any(array(
      select ctid from url_previews where fetched_ts <= p_until order by fetched_ts limit p_limit))
    returning media_id, key_id
  )
  select count(*), coalesce(array_agg(media_id) filter (where media_id is not null), '{}'), coalesce(array_agg(key_id), '{}')
  into dropped, pictures, sealing from gone;
  perform add_tally(p_job, p_policy, 'previews', dropped);
  select coalesce(array_agg(media_id), '{}'), sealing || coalesce(array_agg(key_id) filter (where sealed is not null), '{}')
  into pictures, sealing from (
    select m.media_id, m.key_id, m.sealed from media m
    where m.media_id = any(pictures) and not m.is_protected and not is_media_held(m.media_id) and not is_named(m.media_id)
      and not exists (select from url_previews u where u.media_id = m.media_id)
    order by m.media_id for update of m) free;
  perform note_sealing(p_job, p_policy, sealing);
  return query delete from media m where m.media_id = any(pictures) returning m.blob_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_receipts(p_job text, p_holder uuid, p_generation bigint, p_rooms bigint[], p_until bigint[], p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  dropped bigint;
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  with gone as (
    delete from receipts where ctid = any(array(
      select x.ctid from unnest(p_rooms, p_until) as r(room_nid, until_ts)
      join receipts x on x.room_nid = r.room_nid and x.receipt_ts <= r.until_ts
      where not is_user_held(x.user_id) and not is_room_held(x.room_nid) limit p_limit))
    returning room_nid
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select p_job, coalesce(policy_id, ''), 'receipts', count(*) from gone left join retention_rooms using (room_nid) group by 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select count(*) into dropped from gone;
  return dropped;
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_thumbnails(p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_by_access boolean, p_limit integer)
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  doomed text[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(blob_id), '{}') into doomed from (
    select t.blob_id from media_blobs t
    where t.state = 'stored' and t.origin_blob_id is not null and not exists (
      select from media m where m.blob_id = t.origin_blob_id and (
        m.is_protected or is_media_held(m.media_id)
        or case when p_by_access then coalesce(m.last_access_ts, m.created_ts) else m.created_ts end > p_until))
    order by t.blob_id limit p_limit for update skip locked) free;
  perform add_tally(p_job, p_policy, 'thumbnails', cardinality(doomed));
  -- Their file's key opens them, which stays with the file.
  perform note_sealing(p_job, p_policy, array(
    select m.key_id from media_blobs t join media m on m.blob_id = t.origin_blob_id
    where t.blob_id = any(doomed) and m.sealed is not null));
  return query update media_blobs set state = 'dropped', expires_ts = clock_timestamp()
    where blob_id = any(doomed) returning blob_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.drop_unused_blob()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.erase_events(p_job text, p_holder uuid, p_generation bigint, p_user text, p_nids bigint[])
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  verdict text := may_erase(p_job, p_holder, p_generation, p_user);
  notified bigint;
begin
  if verdict <> 'go' then return verdict; end if;
  delete from notifications where ctid = any(array(
    select ctid from notifications where nid = any(p_nids) limit most_erased()));
  get diagnostics notified = row_count;
  perform add_erased(p_job, 'notifications of others', notified);
  if notified = most_erased() then return 'more'; end if;
  perform from threads t join (
    select distinct room_nid, relates_to from events where nid = any(p_nids) and rel_type = 'm.thread'
  ) named on (t.room_nid, t.thread) = (named.room_nid, named.relates_to)
  order by t.room_nid, t.thread for update of t;
  perform from events where nid = any(p_nids) order by nid for update;
  with contents as (
    delete from event_contents where nid = any(p_nids) returning first_key
  ), words as (
    delete from search_events where nid = any(p_nids) returning nid
  ), cited as (
    delete from media_references where nid = any(p_nids) returning nid
  ), pushed as (
    delete from push_queue where nid = any(p_nids) returning nid
  ), unmarked as (
    update events set device_id = null, txn_id = null,
      redacted_by = case when state_key is null then coalesce(redacted_by, 0) else redacted_by end
    where nid = any(p_nids)
  ), replies as (
    update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid <> all(p_nids) and e.position is not null
        order by e.position desc limit 1), 0)
    from (
      select room_nid, relates_to as thread, count(*) as replies from events
      where nid = any(p_nids) and rel_type = 'm.thread' and state_key is null and status = 0
        and redacted_by is null and position is not null
      group by 1, 2) gone
    where (threads.room_nid, threads.thread) = (gone.room_nid, gone.thread)
  )
  insert into erasure_tallies as known (job_id, what, count)
  select p_job, what, count(*) from (
    select 'event contents' as what from contents
    union all select 'event contents that were not sealed' from contents where first_key = 0
    union all select 'words of events' from words
    union all select 'media references' from cited
    union all select 'pushes' from pushed
  ) gone group by what
  on conflict (job_id, what) do update set count = known.count + excluded.count;
  return 'go';
end $function$
;

CREATE OR REPLACE FUNCTION public.erase_keys(p_job text, p_holder uuid, p_generation bigint, p_user text)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  verdict text := may_erase(p_job, p_holder, p_generation, p_user);
  doomed bigint[];
  count_own bigint;
  epoch integer;
begin
  if verdict <> 'go' then return verdict; end if;
  with words as (
    delete from keys where key_id = any(array(
      select w.key_id from memberships m join rooms r on r.room_nid = m.room_nid
      join keys w on w.scope = 'room-words' and w.owner = r.room_id
      join keys u on u.scope = 'user-span' and u.owner = p_user and u.span = w.span
      where m.user_id = p_user order by w.key_id limit most_erased()))
    returning key_id
  ), marked as (
    update search_spans set pending_from = 0 where key_id in (select key_id from words)
  )
  select coalesce(array_agg(key_id), '{}') into doomed from words;
  verdict := case when cardinality(doomed) = most_erased() then 'more' else 'go' end;
  if verdict = 'go' then
    with gone as (
      delete from keys where owner = p_user and scope in ('user', 'user-span', 'user-files', 'member')
      returning key_id, master_epoch
    )
    select doomed || coalesce(array_agg(key_id), '{}'), count(*), max(master_epoch) into doomed, count_own, epoch from gone;
  end if;
  perform add_erased(p_job, 'keys', count_own);
  perform add_erased(p_job, 'master epoch', epoch)
  where not exists (select from erasure_tallies where job_id = p_job and what = 'master epoch');
  -- One notification holds 8,000 bytes; who cannot be told which forgets them all.
  perform pg_notify('myelin', json_build_object('destroyed', part)::text)
  from (
    select array_agg(key_id) as part from unnest(doomed) with ordinality as d(key_id, n) group by (n - 1) / 300
    union all select '{}'
  ) parts;
  return verdict;
end $function$
;

CREATE OR REPLACE FUNCTION public.erase_media(p_job text, p_holder uuid, p_generation bigint, p_user text, p_limit integer, OUT verdict text, OUT blobs text[])
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  plain bigint;
begin
  verdict := may_erase(p_job, p_holder, p_generation, p_user);
  blobs := '{}';
  if verdict <> 'go' then return; end if;
  with doomed as (
    select media_id from media where user_id = p_user order by media_id limit p_limit for update
  ), uncited as (
    delete from media_references using doomed where media_references.media_id = doomed.media_id
  ), gone as (
    delete from media using doomed where media.media_id = doomed.media_id
    returning coalesce(media.blob_id, '') as blob_id, media.sealed is not null and media.key_id = 0 as is_plain
  )
  select coalesce(array_agg(blob_id), '{}'), count(*) filter (where is_plain) into blobs, plain from gone;
  perform add_erased(p_job, 'media', cardinality(blobs));
  perform add_erased(p_job, 'media that were not sealed', plain);
end $function$
;

CREATE OR REPLACE FUNCTION public.erase_rows(p_job text, p_holder uuid, p_generation bigint, p_user text, p_table text, p_column text, p_by_room boolean, p_limit integer, OUT verdict text, OUT count bigint)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  plain bigint;
begin
  verdict := may_erase(p_job, p_holder, p_generation, p_user);
  count := 0;
  if verdict <> 'go' then return; end if;
  execute format(
    'with gone as (
      delete from %1$I where ctid = any(array(select t.ctid from %1$I t where t.%2$I = $1%3$s limit $2)) returning %4$s as is_plain)
    select count(*), count(*) filter (where is_plain) from gone',
    p_table, p_column,
    case when p_by_room then ' and t.room_nid = any(array(select m.room_nid from memberships m where m.user_id = $1))' else '' end,
    case when has_key(p_table) then 'key_id = 0 and octet_length(sealed) > 0' else 'false' end)
  into count, plain using p_user, p_limit;
  perform add_erased(p_job, p_table, count);
  perform add_erased(p_job, p_table || ' that were not sealed', plain);
end $function$
;

CREATE OR REPLACE FUNCTION public.expire_events(p_job text, p_holder uuid, p_generation bigint, p_nids bigint[])
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  perform from threads t join (
    select distinct room_nid, relates_to from events where nid = any(p_nids) and rel_type = 'm.thread'
  ) named on (t.room_nid, t.thread) = (named.room_nid, named.relates_to)
  order by t.room_nid, t.thread for update of t;
  select coalesce(array_agg(nid), '{}') into doomed from (
    select e.nid, sum(3 + (e.rel_type is not distinct from 'm.thread')::int
      + (select count(*) from media_references r where r.nid = e.nid)) over (order by place) as taken
    from unnest(p_nids) with ordinality as named(nid, place) join events e on e.nid = named.nid
  ) weighed where taken <= 450;
  select coalesce(array_agg(nid), '{}') into doomed from (
    select e.nid from events e
    where e.nid = any(doomed) and e.redacted_by is null and e.status <> 3 and not is_event_held(e.nid)
      and not (e.state_key is not null and exists (
        select from current_state s
        where s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid))
    order by e.nid for update skip locked) free;
  if doomed = '{}' then return 0; end if;
  perform from event_contents where nid = any(doomed) order by nid for update;

  with owners as materialized (
    select e.nid, e.state_key is not null as is_state, coalesce(r.policy_id, '') as policy_id
    from events e left join retention_rooms r on r.room_nid = e.room_nid where e.nid = any(doomed)
  ), contents as (
    delete from event_contents where nid = any(doomed) returning nid, first_key, second_key
  ), words as (
    delete from search_events where nid = any(doomed) returning nid, room_nid, span
  ), hashed as (
    select w.nid, o.policy_id, s.key_id from words w join owners o using (nid)
    join search_spans s on (s.room_nid, s.span) = (w.room_nid, w.span)
  ), cited as (
    delete from media_references where nid = any(doomed) returning nid
  ), notified as (
    delete from notifications where nid = any(doomed) returning nid
  ), pushed as (
    delete from push_queue where nid = any(doomed) returning nid
  ), hidden as (
    update events set redacted_by = 0, device_id = null, txn_id = null where nid = any(doomed)
    returning nid, room_nid, case when rel_type = 'm.thread' and state_key is null and status = 0
      and position is not null then relates_to end as thread
  ), replies as (
    update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid <> all(doomed) and e.position is not null
        order by e.position desc limit 1), 0)
    from (select room_nid, thread, count(*) as replies from hidden where thread is not null group by 1, 2) gone
    where (threads.room_nid, threads.thread) = (gone.room_nid, gone.thread)
  ), sealing as (
    insert into retention_keys (job_id, policy_id, key_id, is_span, master_epoch)
    select p_job, used.policy_id, used.key_id, used.is_span, keys.master_epoch from (
      select distinct policy_id, case when second_key = 0 then first_key else second_key end as key_id,
        second_key <> 0 as is_span
      from contents join owners using (nid) where first_key <> 0
      union select policy_id, key_id, true from hashed where key_id <> 0
    ) used left join keys on keys.key_id = used.key_id
    on conflict do nothing
  )
  insert into retention_tallies as known (job_id, policy_id, what, count)
  select p_job, policy_id, what, count(*) from (
    select nid, case when is_state then 'state' else 'messages' end as what from owners
    union all select nid, 'contents' from contents
    union all select nid, 'unsealed' from contents where first_key = 0
    union all select nid, 'unsealed' from hashed where key_id = 0
    union all select nid, 'words' from words
    union all select nid, 'media references' from cited
    union all select nid, 'notifications' from notified
    union all select nid, 'pushes' from pushed
  ) gone join owners using (nid)
  group by policy_id, what
  on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count;
  return cardinality(doomed);
end $function$
;

CREATE OR REPLACE FUNCTION public.forget_addresses(p_job text, p_holder uuid, p_generation bigint, p_policy text, p_devices jsonb, p_until bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  dropped bigint;
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with seen as materialized (
    select v.user_id, v.device_id, v.key_id from devices v
    join jsonb_to_recordset(p_devices) as d(user_id text, device_id text, before bytea)
      on (v.user_id, v.device_id, v.sealed) = (d.user_id, d.device_id, d.before)
    where not is_user_held(v.user_id) order by 1, 2 for update of v
  ), anew as (
    update devices set key_id = d.key_id, sealed = d.sealed
    from seen join jsonb_to_recordset(p_devices) as d(user_id text, device_id text, key_id bigint, sealed bytea)
      on (d.user_id, d.device_id) = (seen.user_id, seen.device_id)
    where (devices.user_id, devices.device_id) = (seen.user_id, seen.device_id)
    returning seen.key_id
  )
  select count(*), coalesce(array_agg(key_id), '{}') into dropped, sealing from anew;
  perform add_tally(p_job, p_policy, 'addresses', dropped);
  perform note_sealing(p_job, p_policy, sealing);
  update retention_progress set addresses_ts = greatest(addresses_ts, p_until);
end $function$
;

CREATE OR REPLACE FUNCTION public.has_held(p_room_nid bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from holds h
    where h.released_ts is null and may_be_of_room(h, p_room_nid) and case
      when h.from_ts is null and h.until_ts is null then true
      else has_of_hold(h, p_room_nid, coalesce(h.from_ts, 0), coalesce(h.until_ts, 9223372036854775807)) end)
$function$
;

CREATE OR REPLACE FUNCTION public.has_key(p_table text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select count(*) = 2 from pg_attribute
  where attrelid = p_table::regclass and (attname, atttypid) in (('key_id', 'bigint'::regtype), ('sealed', 'bytea'::regtype))
$function$
;

CREATE OR REPLACE FUNCTION public.has_left_held(p_user_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select is_user_held(p_user_id) or exists (
    select from holds h
    where h.released_ts is null and h.user_ids is null and h.room_nids is null
      and left_of_time(p_user_id, coalesce(h.from_ts, 0), coalesce(h.until_ts, 9223372036854775807)))
$function$
;

CREATE OR REPLACE FUNCTION public.has_of_hold(h holds, p_room_nid bigint, p_from bigint, p_until bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION public.hold_of_event(p_nid bigint)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select min(h.hold_id) from holds h join events e on e.nid = p_nid where h.released_ts is null and is_hold_of(h, e)
$function$
;

CREATE OR REPLACE FUNCTION public.hold_of_person(p_user_id text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select min(h.hold_id) from holds h
  where h.released_ts is null and p_user_id = any(h.user_ids) and h.room_nids is null
$function$
;

CREATE OR REPLACE FUNCTION public.holds_claim(p_job text, p_holder uuid, p_generation bigint)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
  perform from admin_jobs
  where job_id = p_job and holder = p_holder and generation = p_generation
    and held_until > clock_timestamp() and state = 'active' for update;
  return found;
end $function$
;

CREATE OR REPLACE FUNCTION public.is_erasure_held(p_user_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select has_left_held(p_user_id) or exists (
    select from memberships m where m.user_id = p_user_id and is_room_held(m.room_nid))
$function$
;

CREATE OR REPLACE FUNCTION public.is_event_held(p_nid bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from holds h join events e on e.nid = p_nid where h.released_ts is null and is_hold_of(h, e))
$function$
;

CREATE OR REPLACE FUNCTION public.is_file_key_idle(p_key bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select not exists (select from media m where m.key_id = p_key and m.key_id <> 0)
    and not exists (select from url_previews u where u.key_id = p_key and u.key_id <> 0)
$function$
;

CREATE OR REPLACE FUNCTION public.is_hold_of(h holds, e events)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select (h.user_ids is null or e.sender = any(h.user_ids))
    and (h.room_nids is null or e.room_nid = any(h.room_nids))
    and (e.origin_server_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807)
      or e.received_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807))
$function$
;

CREATE OR REPLACE FUNCTION public.is_in_settings(p_media text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from account_data a where a.media_ids <> '{}' and a.media_ids @> array[p_media])
$function$
;

CREATE OR REPLACE FUNCTION public.is_kept_from_server(p_table name)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select p_table in ('audit_log', 'audit_checkpoints', 'audit_keys', 'audit_prunings', 'schema_migrations')
$function$
;

CREATE OR REPLACE FUNCTION public.is_key_held(p_scope text, p_owner text, p_span text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when p_scope in ('user', 'user-span', 'member') then has_left_held(p_owner) or exists (
      select from holds h join memberships m on m.user_id = p_owner and m.room_nid = any(h.room_nids)
      where h.released_ts is null and h.user_ids is null)
    when p_scope = 'room-span' then exists (
      select from rooms r where r.room_id = p_owner and is_span_held(r.room_nid, p_span))
    when p_scope = 'room-state' then exists (
      select from rooms r where r.room_id = p_owner and has_held(r.room_nid))
    else false end
$function$
;

CREATE OR REPLACE FUNCTION public.is_media_held(p_media_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from holds where released_ts is null) and (exists (
    select from holds h join media m on m.media_id = p_media_id
    where h.released_ts is null and h.room_nids is null
      and (h.user_ids is null or m.user_id = any(h.user_ids))
      and m.created_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807))
  or exists (select from media_references r where r.media_id = p_media_id and is_event_held(r.nid))
  or exists (select from held_references r where r.media_id = p_media_id and is_event_held(r.nid)))
$function$
;

CREATE OR REPLACE FUNCTION public.is_named(p_media text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from media_references r where r.media_id = p_media)
    or exists (select from profile_fields p where p.media_id = p_media) or is_in_settings(p_media)
$function$
;

CREATE OR REPLACE FUNCTION public.is_person_held(p_user_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from holds h where h.released_ts is null and p_user_id = any(h.user_ids) and h.room_nids is null)
$function$
;

CREATE OR REPLACE FUNCTION public.is_picture(p_media text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from profile_fields p where p.media_id = p_media) or is_in_settings(p_media)
    or exists (
      select from media_references r join events e on e.nid = r.nid
      join current_state s on s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid
      where r.media_id = p_media)
$function$
;

CREATE OR REPLACE FUNCTION public.is_report_held(p_user_id text, p_event_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select is_person_held(p_user_id)
    or exists (select from events e where e.event_id = p_event_id and is_event_held(e.nid))
$function$
;

CREATE OR REPLACE FUNCTION public.is_room_held(p_room_nid bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from holds h where h.released_ts is null and h.user_ids is null and p_room_nid = any(h.room_nids))
$function$
;

CREATE OR REPLACE FUNCTION public.is_span_held(p_room_nid bigint, p_span text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from holds h
    where h.released_ts is null and may_be_of_room(h, p_room_nid) and case
      when h.from_ts is null and h.until_ts is null then true
      else has_of_hold(h, p_room_nid, span_start(p_span), span_end(p_span) - 1) end)
$function$
;

CREATE OR REPLACE FUNCTION public.is_span_used(p_room bigint, p_span text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from events e
    where e.room_nid = p_room and e.redacted_by is null and e.status <> 3 and e.state_key is null
      and least(e.origin_server_ts, e.received_ts) < span_end(p_span))
$function$
;

CREATE OR REPLACE FUNCTION public.is_user_held(p_user_id text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (select from holds h where h.released_ts is null and p_user_id = any(h.user_ids))
$function$
;

CREATE OR REPLACE FUNCTION public.keep_held_content()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  -- A statement of its own: it reads what was committed before the lock was had.
  if is_event_held(old.nid) then
    insert into held_contents (nid, hold_id, first_key, second_key, sealed)
    values (old.nid, hold_of_event(old.nid), old.first_key, old.second_key, old.sealed) on conflict do nothing;
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_data()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  -- Emptied before, there is nothing of it left.
  if is_person_held(old.user_id) and octet_length(old.sealed) > 0 then
    insert into held_data (hold_id, user_id, source, place, kept_ts, key_id, sealed)
    values (hold_of_person(old.user_id), old.user_id, tg_table_name, to_jsonb(old) - '{user_id,key_id,sealed}'::text[],
      database_ms(), old.key_id, old.sealed);
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  if is_event_held(old.nid) then return null; end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  if is_key_held(old.scope, old.owner, old.span) then return null; end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_medium()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  if is_media_held(old.media_id) then return null; end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_reference()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  if is_event_held(old.nid) then
    insert into held_references (nid, media_id, hold_id)
    values (old.nid, old.media_id, hold_of_event(old.nid)) on conflict do nothing;
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_held_report()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  if is_report_held(old.user_id, old.event_id) then
    insert into held_data (hold_id, user_id, nid, source, place, kept_ts, key_id, sealed)
    select coalesce(hold_of_person(old.user_id), hold_of_event(e.nid)), coalesce(old.user_id, e.sender), e.nid, 'reports',
      to_jsonb(old) - '{user_id,key_id,sealed}'::text[], database_ms(), old.key_id, old.sealed
    from (select) as one left join events e on e.event_id = old.event_id;
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_last_checkpoint()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if not exists (select from audit_prunings p where p.seq > old.seq) then
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_member_counts()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'INSERT' then
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(1)) from added;
  elsif tg_op = 'DELETE' then
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(-1)) from removed;
  else
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(sign)) from (
      select room_nid, membership, 1 as sign from added union all select room_nid, membership, -1 from removed) changes;
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_unpruned()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if not exists (select from audit_prunings p where p.seq >= old.seq)
    or exists (select from holds h where h.released_ts is null and coalesce(h.from_ts, 0) <= (old.facts).ts)
  then
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
  end if;
  return old;
end $function$
;

CREATE OR REPLACE FUNCTION public.last_ephemeral_mark()
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock_shared(hashtext('myelin ephemeral marks'));
  return (select case when is_called then last_value else 0 end from ephemeral_marks);
end $function$
;

CREATE OR REPLACE FUNCTION public.left_of_time(p_user_id text, p_from bigint, p_until bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from media m where m.user_id = p_user_id and m.created_ts between p_from and p_until)
  or exists (
    select from memberships m join events e on e.room_nid = m.room_nid and e.sender = m.user_id
    where m.user_id = p_user_id and e.arrival is not null and e.origin_server_ts between p_from and p_until)
  or exists (
    select from memberships m join events e on e.room_nid = m.room_nid and e.sender = m.user_id
    where m.user_id = p_user_id and e.received_ts <> e.origin_server_ts and e.received_ts between p_from and p_until)
$function$
;

CREATE OR REPLACE FUNCTION public.let_serve(p_role name)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  each name;
begin
  if p_role = current_user then
    raise exception 'the owner of the tables cannot be kept from changing them' using errcode = 'invalid_grant_operation';
  end if;
  execute format('grant usage on schema %I to %I', current_schema(), p_role);
  execute format('grant usage, select, update on all sequences in schema %I to %I', current_schema(), p_role);
  for each in select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') loop
    if is_kept_from_server(each) then
      execute format('revoke all on %I from %I', each, p_role);
      execute format('grant select on %I to %I', each, p_role);
    else
      execute format('grant select, insert, update, delete on %I to %I', each, p_role);
    end if;
  end loop;
  execute format('grant insert on audit_log, audit_checkpoints to %I', p_role);
end $function$
;

CREATE OR REPLACE FUNCTION public.list_held(p_hold text, p_room bigint, p_part integer, p_ts bigint, p_nid bigint, p_limit integer, p_looked integer)
 RETURNS TABLE(room_nid bigint, part integer, ts bigint, nid bigint, is_held boolean)
 LANGUAGE plpgsql
 STABLE ROWS 10
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.lock_against_holds()
 RETURNS void
 LANGUAGE sql
AS $function$
  select pg_advisory_xact_lock_shared(hashtext('myelin holds'))
$function$
;

CREATE OR REPLACE FUNCTION public.may_be_of_room(h holds, p_room_nid bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when h.room_nids is not null then p_room_nid = any(h.room_nids)
    when h.user_ids is not null then exists (
      select from memberships m where m.room_nid = p_room_nid and m.user_id = any(h.user_ids))
    else true end
$function$
;

CREATE OR REPLACE FUNCTION public.may_erase(p_job text, p_holder uuid, p_generation bigint, p_user text)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
begin
  perform lock_against_holds();
  perform from admin_jobs
  where job_id = p_job and holder = p_holder and generation = p_generation
    and held_until > clock_timestamp() and state = 'active' for update;
  if not found then return 'lost'; end if;
  return case when is_erasure_held(p_user) then 'held' else 'go' end;
end $function$
;

CREATE OR REPLACE FUNCTION public.media_class(p_media text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when exists (select from url_previews u where u.media_id = p_media) then 'url_preview'
    when exists (select from profile_fields p where p.media_id = p_media) then 'avatar'
    when is_in_settings(p_media) then 'emoji'
    else coalesce((
      select case when e.type in ('m.room.avatar', 'm.room.member') then 'avatar'
        when e.type in ('m.sticker', 'm.image_pack', 'm.room.image_pack', 'im.ponies.room_emotes') then 'emoji'
        else 'attachment' end
      from media_references r join events e on e.nid = r.nid
      where r.media_id = p_media order by e.state_key is null, e.nid limit 1), 'attachment') end
$function$
;

CREATE OR REPLACE FUNCTION public.most_erased()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$select 400$function$
;

CREATE OR REPLACE FUNCTION public.next_ephemeral_mark()
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(hashtext('myelin ephemeral marks'));
  return nextval('ephemeral_marks');
end $function$
;

CREATE OR REPLACE FUNCTION public.note_audit_pruning()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  said json := new.record::json->'after'->'statement';
  pruned_to bigint := (said->>'seq')::bigint;
  known audit_checkpoints;
begin
  if said->>'key_id' is distinct from coalesce(
    (select key_id from audit_keys order by epoch desc limit 1), said->>'key_id')
  then
    raise exception 'the key that signs the audit log was replaced meanwhile' using errcode = 'object_not_in_prerequisite_state';
  end if;
  select * into known from audit_checkpoints where seq = pruned_to;
  if known.seq is null or encode(known.hash, 'hex') is distinct from said->>'hash' then
    raise exception 'no checkpoint was signed of what is pruned' using errcode = 'insufficient_privilege';
  end if;
  if greatest(known.ts, (select (facts).ts from audit_log where seq = pruned_to)) > database_ms() - 180 * 86400000::bigint then
    raise exception 'the audit log is kept for 180 days' using errcode = 'insufficient_privilege';
  end if;
  insert into audit_prunings (seq, hash, signed_ts, record_seq) values (pruned_to, known.hash, known.ts, new.seq);
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.note_audit_rotation()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  said json := new.record::json->'after'->'statement';
  newest audit_keys;
begin
  select * into newest from audit_keys order by epoch desc limit 1;
  if (said->>'epoch')::int is distinct from coalesce(newest.epoch, 1) + 1
    or said->>'old_public_key' is distinct from coalesce(newest.public_key, said->>'old_public_key')
  then
    raise exception 'the key that signs the audit log was replaced meanwhile' using errcode = 'unique_violation';
  end if;
  insert into audit_keys (epoch, key_id, public_key, seq, statement, signature)
  values ((said->>'epoch')::int, said->>'key_id', said->>'public_key', new.seq, said::text,
    new.record::json->'after'->>'signature');
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.note_sealing(p_job text, p_policy text, p_keys bigint[])
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into retention_keys (job_id, policy_id, key_id, is_span, master_epoch)
  select p_job, p_policy, used.key_id, coalesce(k.span <> '', false), k.master_epoch
  from (select distinct key_id from unnest(p_keys) u(key_id) where key_id <> 0) used left join keys k on k.key_id = used.key_id
  on conflict do nothing;
  select add_tally(p_job, p_policy, 'unsealed', cardinality(array_positions(p_keys, 0)));
$function$
;

CREATE OR REPLACE FUNCTION public.policies_in_force()
 RETURNS TABLE(policy_id text, active text, active_version integer, in_force_ts bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select p.policy_id, case when p.in_force_ts <= database_ms() then p.active else p.previous end,
    case when p.in_force_ts <= database_ms() then p.active_version else p.previous_version end,
    case when p.in_force_ts <= database_ms() then p.in_force_ts end
  from retention_policies p where p.in_force_ts <= database_ms() or p.previous is not null
$function$
;

CREATE OR REPLACE FUNCTION public.prune_audit_log(p_limit bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  pruned_to bigint;
  held_from bigint;
  gone bigint;
begin
  perform lock_against_holds();
  -- A statement of its own: it reads what was committed before the lock was had.
  select min(coalesce(from_ts, 0)) into held_from from holds where released_ts is null;
  select max(seq) into pruned_to from audit_prunings;
  with oldest as materialized (
    select seq, (facts).ts from audit_log where seq <= pruned_to order by seq limit p_limit
  )
  delete from audit_log where seq = any(array(
    select seq from oldest
    where seq < coalesce((select min(seq) from oldest where ts >= held_from), 9223372036854775807)));
  get diagnostics gone = row_count;
  delete from audit_checkpoints where seq = any(array(
    select seq from audit_checkpoints
    where seq < least(pruned_to, (select min(seq) - 1 from audit_log)) order by seq limit p_limit));
  return gone;
end $function$
;

CREATE OR REPLACE FUNCTION public.read_audit_facts(p_record text)
 RETURNS audit_facts
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$
begin
  return json_populate_record(null::public.audit_facts, p_record::json);
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end $function$
;

CREATE OR REPLACE FUNCTION public.retention_policies_now()
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select md5(coalesce(string_agg(policy_id || ' ' || active_version, ',' order by policy_id), ''))
  from policies_in_force()
$function$
;

CREATE OR REPLACE FUNCTION public.set_column_classes(of_table text, classes jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  entry record;
begin
  for entry in select key, value from jsonb_each_text(classes) loop
    execute format('comment on column %I.%I is %L', of_table, entry.key, entry.value);
  end loop;
end $function$
;

CREATE OR REPLACE FUNCTION public.shift_member_counts(p_rooms bigint[], p_memberships text[], p_signs integer[])
 RETURNS void
 LANGUAGE sql
AS $function$
  update rooms set joined_members = joined_members + shifts.joined, invited_members = invited_members + shifts.invited
  from (
    select room_nid as shifted, sum(case membership when 'join' then sign else 0 end) as joined,
      sum(case membership when 'invite' then sign else 0 end) as invited
    from unnest(p_rooms, p_memberships, p_signs) as m(room_nid, membership, sign) group by room_nid
  ) shifts
  where room_nid = shifted and (shifts.joined <> 0 or shifts.invited <> 0)
$function$
;

CREATE OR REPLACE FUNCTION public.span_end(span text)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select (extract(epoch from (case when length(span) = 7
    then (span || '-01')::date + interval '1 month' else span::date + interval '1 day' end) at time zone 'UTC') * 1000)::bigint
$function$
;

CREATE OR REPLACE FUNCTION public.span_start(span text)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select (extract(epoch from (case when length(span) = 7 then span || '-01' else span end)::date at time zone 'UTC') * 1000)::bigint
$function$
;

CREATE OR REPLACE FUNCTION public.store_accounts(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  delete from third_party_ids using jsonb_to_recordset(coalesce(p_rows->'removed_third_party_ids', '[]')) as r(w int, user_id text)
  where third_party_ids.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into third_party_ids (user_id, medium, address_hash, key_id, sealed, created_ts)
  select user_id, medium, address_hash, key_id, sealed, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'third_party_ids', '[]'))
    as r(w int, user_id text, medium text, address_hash bytea, key_id bigint, sealed bytea, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  delete from external_ids using jsonb_to_recordset(coalesce(p_rows->'removed_external_ids', '[]')) as r(w int, user_id text)
  where external_ids.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into external_ids (provider, subject_hash, user_id, key_id, sealed, created_ts)
  select provider, subject_hash, user_id, key_id, sealed, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'external_ids', '[]'))
    as r(w int, provider text, subject_hash bytea, user_id text, key_id bigint, sealed bytea, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  -- The time to undo it runs by the database's clock, from the first request on.
  delete from pending_erasures using jsonb_to_recordset(coalesce(p_rows->'removed_erasures', '[]')) as r(w int, user_id text)
  where pending_erasures.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into pending_erasures (user_id, requested_by, requested_ts, due_ts)
  select r.user_id, r.requested_by, database_ms(), database_ms() + r.wait_ms
  from jsonb_to_recordset(coalesce(p_rows->'pending_erasures', '[]'))
    as r(w int, user_id text, requested_by text, wait_ms bigint)
  join users on users.user_id = r.user_id
  where starts[r.w + 1] is not null and not exists (
    select from admin_jobs j where j.user_id = r.user_id and j.kind = 'erase-user' and j.state not in ('failed', 'cancelled'))
  on conflict do nothing;
  update pending_erasures set held_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'held_erasures', '[]')) as r(w int, user_id text)
  where pending_erasures.user_id = r.user_id and pending_erasures.held_ts is null and starts[r.w + 1] is not null;
  with due as (
    delete from pending_erasures using jsonb_to_recordset(coalesce(p_rows->'due_erasures', '[]')) as r(w int, user_id text, job_id text)
    where pending_erasures.user_id = r.user_id and pending_erasures.due_ts <= database_ms() and starts[r.w + 1] is not null
    returning pending_erasures.user_id, starts[r.w + 1] + 1 as position, r.job_id, requested_by, requested_ts
  ), tasks as (
    insert into admin_jobs (job_id, kind, user_id, params, not_before, created_by, created_ts)
    select job_id, 'erase-user', user_id, json_build_object('requestedTs', requested_ts)::text, database_ms(), requested_by,
      database_ms()
    from due
  )
  update users set erased_position = coalesce(users.erased_position, due.position) from due
  where users.user_id = due.user_id and users.is_deactivated;

  insert into notice_rooms (user_id, room_nid)
  select user_id, room_nid
  from jsonb_to_recordset(coalesce(p_rows->'notice_rooms', '[]')) as r(w int, user_id text, room_nid bigint)
  where starts[r.w + 1] is not null
  on conflict (user_id) do update set room_nid = excluded.room_nid;

  insert into registration_tokens (token, uses_allowed, expires_ts, created_ts)
  select token, uses_allowed, expires_ts, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'registration_tokens', '[]'))
    as r(w int, token text, uses_allowed int, expires_ts bigint, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update registration_tokens set
    uses_allowed = case when r.changes ? 'uses_allowed' then (r.changes->>'uses_allowed')::int else uses_allowed end,
    expires_ts = case when r.changes ? 'expires_ts' then (r.changes->>'expires_ts')::bigint else registration_tokens.expires_ts end
  from jsonb_to_recordset(coalesce(p_rows->'registration_token_changes', '[]')) as r(w int, token text, changes jsonb)
  where registration_tokens.token = r.token and starts[r.w + 1] is not null;
  delete from registration_tokens using jsonb_to_recordset(coalesce(p_rows->'removed_registration_tokens', '[]')) as r(w int, token text)
  where registration_tokens.token = r.token and starts[r.w + 1] is not null;

  insert into server_settings (name, value)
  select 'jobs paused', 'true' from jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, is_paused boolean)
  where r.is_paused and starts[r.w + 1] is not null
  on conflict do nothing;
  delete from server_settings using jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, is_paused boolean)
  where name = 'jobs paused' and not r.is_paused and starts[r.w + 1] is not null;

  -- Who rests no more; a job that somebody is at goes on.
  update leases set expires_ts = clock_timestamp()
  from jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, woken text)
  where leases.name = r.woken and not leases.is_running and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_admin_rows(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  insert into blocked_rooms (room_id, blocked_by, blocked_ts)
  select room_id, blocked_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'room_blocks', '[]')) as r(w int, room_id text, blocked_by text)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  delete from blocked_rooms using jsonb_to_recordset(coalesce(p_rows->'removed_room_blocks', '[]')) as r(w int, room_id text)
  where blocked_rooms.room_id = r.room_id and starts[r.w + 1] is not null;

  insert into admin_jobs (job_id, kind, room_id, user_id, params, not_before, created_by, created_ts)
  select job_id, kind, room_id, user_id, params, database_ms() + wait_ms, created_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'admin_jobs', '[]'))
    as r(w int, job_id text, kind text, room_id text, user_id text, params text, wait_ms bigint, created_by text)
  where starts[r.w + 1] is not null;
  update admin_jobs set state = 'cancelled', ended_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where admin_jobs.job_id = r.job_id and starts[r.w + 1] is not null and admin_jobs.state in ('scheduled', 'active');
  insert into admin_job_items (job_id, item, kind, reason)
  select job_id, item, kind, reason
  from jsonb_to_recordset(coalesce(p_rows->'admin_job_items', '[]'))
    as r(w int, job_id text, item text, kind text, reason text)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  -- Who forks a room's graph anew meanwhile leaves an end that is not among these.
  delete from forward_extremities using jsonb_to_recordset(coalesce(p_rows->'pruned_extremities', '[]')) as r(w int, room_nid bigint, nid bigint)
  where forward_extremities.room_nid = r.room_nid and forward_extremities.nid = r.nid and starts[r.w + 1] is not null;

  with marked as (
    update media set quarantined_by = r.quarantined_by
    from jsonb_to_recordset(coalesce(p_rows->'quarantined_media', '[]')) as r(w int, media_id text, quarantined_by text)
    where media.media_id = r.media_id and media.quarantined_by is null and not media.is_protected
      and starts[r.w + 1] is not null and media.media_id = any(array(
        select q.media_id from jsonb_to_recordset(coalesce(p_rows->'quarantined_media', '[]')) as q(media_id text)))
    returning media.media_id
  )
  insert into quarantine_changes (media_id, is_quarantined, changed_ts)
  select media_id, true, p_now from marked order by media_id;
  with marked as (
    update media set quarantined_by = null
    from jsonb_to_recordset(coalesce(p_rows->'released_media', '[]')) as r(w int, media_id text)
    where media.media_id = r.media_id and media.quarantined_by is not null and starts[r.w + 1] is not null
      and media.media_id = any(array(
        select q.media_id from jsonb_to_recordset(coalesce(p_rows->'released_media', '[]')) as q(media_id text)))
    returning media.media_id
  )
  insert into quarantine_changes (media_id, is_quarantined, changed_ts)
  select media_id, false, p_now from marked order by media_id;
  update media set is_protected = r.is_protected
  from jsonb_to_recordset(coalesce(p_rows->'media_protections', '[]')) as r(w int, media_id text, is_protected boolean)
  where media.media_id = r.media_id and starts[r.w + 1] is not null and media.media_id = any(array(
    select q.media_id from jsonb_to_recordset(coalesce(p_rows->'media_protections', '[]')) as q(media_id text)));
  delete from media where media_id = any(array(
    select r.media_id from jsonb_to_recordset(coalesce(p_rows->'removed_media', '[]')) as r(w int, media_id text)
    where starts[r.w + 1] is not null));

  delete from reports using jsonb_to_recordset(coalesce(p_rows->'removed_reports', '[]')) as r(w int, report_id bigint)
  where reports.report_id = r.report_id and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_alerts(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  insert into alerts (alert_id, detector, severity, subject, span, user_id, record_seq, facts, is_locked, raised_ts)
  select alert_id, detector, severity, subject, span, user_id, record_seq, facts, is_locked, p_now
  from jsonb_to_recordset(coalesce(p_rows->'alerts', '[]'))
    as r(w int, alert_id bigint, detector text, severity text, subject text, span bigint, user_id text,
      record_seq bigint, facts text, is_locked boolean)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update alerts set acknowledged_by = r.acknowledged_by, acknowledged_ts = p_now, comment = r.comment
  from jsonb_to_recordset(coalesce(p_rows->'alert_acknowledgements', '[]'))
    as r(w int, alert_id bigint, acknowledged_by text, comment text)
  where alerts.alert_id = r.alert_id and alerts.acknowledged_ts is null and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_approvals(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.store_authority(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.store_campaigns(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  -- Who was made stays made, also where it was taken back meanwhile.
  update import_rows set state = case when r.errcode is null then 'made' else 'failed' end,
    errcode = r.errcode, key_id = 0, sealed = null
  from jsonb_to_recordset(coalesce(p_rows->'import_row_ends', '[]')) as r(w int, job_id text, line int, errcode text)
  where (import_rows.job_id, import_rows.line) = (r.job_id, r.line) and starts[r.w + 1] is not null
    and (import_rows.state = 'waiting' or import_rows.state = 'cancelled' and r.errcode is null);
  update import_rows set state = 'cancelled', key_id = 0, sealed = null
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where import_rows.job_id = r.job_id and import_rows.state = 'waiting' and starts[r.w + 1] is not null;

  insert into campaigns (campaign_id, name, job_id, audience_kind, audience_id, content, reminder, remind_after_ms,
    most_reminders, closes_ts, created_by, created_ts)
  select campaign_id, name, job_id, audience_kind, audience_id, content, reminder, remind_after_ms,
    most_reminders, database_ms() + r.open_for_ms, created_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'campaigns', '[]'))
    as r(w int, campaign_id text, name text, job_id text, audience_kind text, audience_id text, content text,
      reminder text, remind_after_ms bigint, most_reminders smallint, open_for_ms bigint, created_by text)
  where starts[r.w + 1] is not null;
  insert into campaign_members (campaign_id, user_id)
  select distinct r.campaign_id, named
  from jsonb_to_recordset(coalesce(p_rows->'campaigns', '[]')) as r(w int, campaign_id text, users text[])
  cross join unnest(r.users) as named
  join users on users.user_id = named
  where starts[r.w + 1] is not null;
  update campaigns set state = 'cancelled', ended_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where campaigns.job_id = r.job_id and campaigns.state = 'open' and starts[r.w + 1] is not null;

  insert into incidents (incident_id, title, severity, from_ts, to_ts, summary, opened_by, opened_ts, aware_ts)
  select incident_id, title, severity, from_ts, to_ts, summary, opened_by, database_ms(),
    least(coalesce(r.aware_ts, database_ms()), database_ms())
  from jsonb_to_recordset(coalesce(p_rows->'incidents', '[]'))
    as r(w int, incident_id text, title text, severity text, from_ts bigint, to_ts bigint, summary text,
      opened_by text, aware_ts bigint)
  where starts[r.w + 1] is not null;
  update incidents set
    version = incidents.version + 1,
    title = coalesce(r.title, incidents.title),
    severity = coalesce(r.severity, incidents.severity),
    summary = coalesce(r.summary, incidents.summary),
    from_ts = coalesce(r.from_ts, incidents.from_ts),
    to_ts = coalesce(r.to_ts, incidents.to_ts),
    campaign_id = coalesce(r.campaign_id, incidents.campaign_id),
    notification = coalesce(r.notification, incidents.notification),
    notified_ts = case when r.notification is null then incidents.notified_ts
      else coalesce(incidents.notified_ts, database_ms()) end,
    state = case when r.closed_by is null then incidents.state else 'closed' end,
    closed_by = coalesce(r.closed_by, incidents.closed_by),
    closed_ts = case when r.closed_by is null then incidents.closed_ts else database_ms() end,
    report = coalesce(r.report, incidents.report)
  from jsonb_to_recordset(coalesce(p_rows->'incident_changes', '[]'))
    as r(w int, incident_id text, version int, title text, severity text, summary text, from_ts bigint, to_ts bigint,
      campaign_id text, notification text, closed_by text, report text)
  where (incidents.incident_id, incidents.version) = (r.incident_id, r.version) and incidents.state = 'open'
    and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_holds(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  insert into holds (hold_id, name, case_id, reason, user_ids, room_ids, room_nids, from_ts, until_ts, created_by, created_ts)
  select hold_id, name, case_id, reason, user_ids, room_ids, room_nids, from_ts, until_ts, created_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'holds', '[]'))
    as r(w int, hold_id text, name text, case_id text, reason text, user_ids text[], room_ids text[], room_nids bigint[],
      from_ts bigint, until_ts bigint, created_by text)
  where starts[r.w + 1] is not null;
  update holds set released_by = r.released_by, released_ts = p_now, release_reason = r.release_reason
  from jsonb_to_recordset(coalesce(p_rows->'hold_releases', '[]'))
    as r(w int, hold_id text, released_by text, release_reason text)
  where holds.hold_id = r.hold_id and holds.released_ts is null and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_medium(p_media_id text, p_is_pending boolean, p_user_id text, p_blob_id text, p_shared_id text, p_size bigint, p_hash bytea, p_sniffed text, p_content_type text, p_is_legacy boolean, p_key_id bigint, p_sealed bytea, p_quota bigint, p_now bigint)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.store_policies(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.store_privacy(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  insert into consents (user_id, policy, version, locale, is_given, ts)
  select user_id, policy, version, locale, is_given, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'consents', '[]'))
    as r(w int, user_id text, policy text, version text, locale text, is_given boolean)
  where starts[r.w + 1] is not null;
  insert into privacy_requests (request_id, user_id, kind, opened_by, created_ts, due_ts, key_id, sealed)
  select request_id, user_id, kind, opened_by, database_ms(), database_ms() + r.due_in_ms, key_id, sealed
  from jsonb_to_recordset(coalesce(p_rows->'privacy_requests', '[]'))
    as r(w int, request_id text, user_id text, kind text, opened_by text, due_in_ms bigint, key_id bigint, sealed bytea)
  where starts[r.w + 1] is not null;
  update privacy_requests q set
    version = q.version + 1, state = r.state, due_ts = r.due_ts,
    -- Of who was erased what was sealed stays as it is: nobody opens it.
    key_id = coalesce(r.key_id, q.key_id), sealed = coalesce(r.sealed, q.sealed),
    closed_ts = case when r.state in ('done', 'refused', 'withdrawn') then coalesce(q.closed_ts, database_ms()) end,
    identity_checked_by = coalesce(r.checked_by, q.identity_checked_by),
    identity_checked_ts = case when r.checked_by is null then q.identity_checked_ts else database_ms() end
  from jsonb_to_recordset(coalesce(p_rows->'privacy_request_changes', '[]'))
    as r(w int, request_id text, version int, state text, due_ts bigint, checked_by text, key_id bigint, sealed bytea)
  where q.request_id = r.request_id and q.version = r.version and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_retention(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  -- It destroys nothing from now on. What other policies would do in its place waits out the
  -- undo window: meanwhile it keeps all for ever.
  update retention_policies p set version = version + 1, tried_version = null, removed_ts = database_ms() + r.wait_ms,
    active = json_build_object('scope', f.active::json->'scope')::text, active_version = version + 1, in_force_ts = database_ms(),
    previous = null, previous_version = null
  from jsonb_to_recordset(coalesce(p_rows->'removed_retention_policies', '[]')) as r(w int, policy_id text, wait_ms bigint)
  join policies_in_force() f on f.policy_id = r.policy_id
  where p.policy_id = r.policy_id and p.removed_ts is null and starts[r.w + 1] is not null and r.wait_ms > 0;
  delete from retention_policies p using jsonb_to_recordset(coalesce(p_rows->'removed_retention_policies', '[]')) as r(w int, policy_id text)
  where p.policy_id = r.policy_id and p.removed_ts is null and starts[r.w + 1] is not null;
  insert into retention_policies as known (policy_id, draft, changed_by, changed_ts)
  select distinct on (policy_id) policy_id, draft, changed_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'retention_drafts', '[]')) as r(w int, policy_id text, draft text, changed_by text)
  where starts[r.w + 1] is not null
  order by policy_id, w desc
  on conflict (policy_id) do update set draft = excluded.draft, version = known.version + 1, tried_version = null,
    removed_ts = null, changed_by = excluded.changed_by, changed_ts = excluded.changed_ts;
  update retention_policies set tried_version = r.version
  from jsonb_to_recordset(coalesce(p_rows->'retention_trials', '[]')) as r(w int, policy_id text, version int)
  where retention_policies.policy_id = r.policy_id and retention_policies.version = r.version and starts[r.w + 1] is not null;
  update retention_policies set
    previous = case when in_force_ts <= database_ms() then active else previous end,
    previous_version = case when in_force_ts <= database_ms() then active_version else previous_version end,
    active = draft, active_version = r.version, activated_by = r.activated_by, in_force_ts = database_ms() + r.wait_ms
  from jsonb_to_recordset(coalesce(p_rows->'retention_activations', '[]'))
    as r(w int, policy_id text, version int, wait_ms bigint, activated_by text)
  where retention_policies.policy_id = r.policy_id and retention_policies.version = r.version
    and retention_policies.tried_version = r.version and starts[r.w + 1] is not null;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_rows(p_rows jsonb, starts bigint[], p_now bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  pusher record;
  stored_id bigint;
begin
  if p_rows ? 'replies' then
    insert into threads (room_nid, thread, replies, last_position)
    select room_nid, thread, count(*), max(starts[r.w + 1] + o + 1)
    from jsonb_to_recordset(p_rows->'replies') as r(w int, o int, room_nid bigint, thread text)
    where starts[r.w + 1] is not null
    group by room_nid, thread
    on conflict (room_nid, thread) do update set
      replies = threads.replies + excluded.replies, last_position = excluded.last_position;
  end if;

  -- Redaction strips the content for good and leaves the skeleton. Where that is of
  -- current state, the state reads differently and has a new version.
  if p_rows ? 'redactions' then
    with redacted as (
      update events set redacted_by = r.by_nid
      from jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint, by_nid bigint)
      where events.nid = r.target_nid and events.redacted_by is null and starts[r.w + 1] is not null
      returning events.nid, events.room_nid, events.type, events.state_key, events.relates_to,
        events.rel_type = 'm.thread' and events.relates_to is not null and events.state_key is null
          and events.status = 0 and events.position is not null as is_reply
    ), left_threads as (
      update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid not in (select nid from redacted) and e.position is not null
        order by e.position desc limit 1), 0)
      from (select room_nid, relates_to, count(*) as replies from redacted where is_reply group by 1, 2) gone
      where (threads.room_nid, threads.thread) = (gone.room_nid, gone.relates_to)
    ), stripped as (
      delete from event_contents using redacted where event_contents.nid = redacted.nid
    )
    update rooms set state_version = rooms.state_version + 1
    where room_nid in (
      select redacted.room_nid from redacted join current_state s using (room_nid, type, state_key)
      where s.nid = redacted.nid);
    delete from notifications using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where notifications.nid = r.target_nid and starts[r.w + 1] is not null;
    delete from search_events using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where search_events.nid = r.target_nid and starts[r.w + 1] is not null;
    delete from media_references using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where media_references.nid = r.target_nid and starts[r.w + 1] is not null;
  end if;

  -- Only what is there: anybody may name anything.
  if p_rows ? 'media_references' then
    insert into media_references (nid, media_id)
    select r.nid, media.media_id
    from jsonb_to_recordset(p_rows->'media_references') as r(w int, nid bigint, media_id text)
    join media on media.media_id = r.media_id
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'room_publications' then
    update rooms set is_published = r.is_published
    from jsonb_to_recordset(p_rows->'room_publications') as r(w int, room_nid bigint, is_published boolean)
    where rooms.room_nid = r.room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'removed_aliases' then
    delete from room_aliases using jsonb_to_recordset(p_rows->'removed_aliases') as r(w int, alias text)
    where room_aliases.alias = r.alias and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'moved_aliases' then
    update room_aliases set room_nid = r.room_nid
    from jsonb_to_recordset(p_rows->'moved_aliases') as r(w int, alias text, from_room_nid bigint, room_nid bigint)
    where room_aliases.alias = r.alias and room_aliases.room_nid = r.from_room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'stripped_states' then
    insert into stripped_states (user_id, room_nid, key_id, sealed)
    select distinct on (user_id, room_nid) user_id, room_nid, key_id, sealed
    from jsonb_to_recordset(p_rows->'stripped_states') as r(w int, user_id text, room_nid bigint, key_id bigint, sealed bytea)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, w desc
    on conflict (user_id, room_nid) do update set key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'forgotten' then
    update memberships set is_forgotten = true
    from jsonb_to_recordset(p_rows->'forgotten') as r(w int, user_id text, room_nid bigint)
    where memberships.user_id = r.user_id and memberships.room_nid = r.room_nid
      and memberships.membership in ('leave', 'ban') and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'notifications' then
    insert into notifications (user_id, room_nid, position, nid, thread, is_highlight, is_counted)
    select user_id, room_nid, starts[r.w + 1] + o + 1, nid, thread, is_highlight, is_counted
    from jsonb_to_recordset(p_rows->'notifications')
      as r(w int, o int, user_id text, room_nid bigint, nid bigint, thread text, is_highlight boolean, is_counted boolean)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'push_modes' then
    insert into push_modes (user_id, room_id, mode, since_position, position)
    select distinct on (user_id, room_id)
      user_id, room_id, mode, starts[r.w + 1] + o + 1, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'push_modes') as r(w int, o int, user_id text, room_id text, mode text)
    where starts[r.w + 1] is not null
    order by user_id, room_id, mode desc, w
    on conflict (user_id, room_id) do update set mode = excluded.mode,
      since_position = excluded.since_position, position = excluded.position
      where push_modes.mode = 'keywords' and excluded.mode = 'rows';
  end if;

  if p_rows ? 'thread_subscriptions' then
    insert into thread_subscriptions (user_id, room_nid, thread, is_subscribed, is_automatic, position)
    select distinct on (user_id, room_nid, thread)
      user_id, room_nid, thread, is_subscribed, is_automatic, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'thread_subscriptions')
      as r(w int, o int, user_id text, room_nid bigint, thread text, is_subscribed boolean, is_automatic boolean)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, thread, w desc, o desc
    on conflict (user_id, room_nid, thread) do update set is_subscribed = excluded.is_subscribed,
      is_automatic = excluded.is_automatic, position = excluded.position;
  end if;

  -- A receipt never moves backwards, and one of a thread says nothing new at an event up to
  -- which the whole room is read already.
  if p_rows ? 'receipts' then
    insert into receipts (room_nid, user_id, receipt_type, thread, event_id, event_position, receipt_ts, position)
    select distinct on (room_nid, user_id, receipt_type, thread)
      room_nid, user_id, receipt_type, thread, event_id, event_position, receipt_ts, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'receipts')
      as r(w int, o int, room_nid bigint, user_id text, receipt_type text, thread text, event_id text,
        event_position bigint, receipt_ts bigint)
    where starts[r.w + 1] is not null
      and (r.thread = '' or not exists (select from receipts x
        where x.room_nid = r.room_nid and x.user_id = r.user_id and x.receipt_type = r.receipt_type
          and x.thread = '' and x.event_id = r.event_id))
    order by room_nid, user_id, receipt_type, thread, event_position desc
    on conflict (room_nid, user_id, receipt_type, thread) do update set event_id = excluded.event_id,
      event_position = excluded.event_position, receipt_ts = excluded.receipt_ts, position = excluded.position
      where receipts.event_position < excluded.event_position;
  end if;

  if p_rows ? 'user_updates' then
    update users set
      password_hash = case when r.changes ? 'password_hash' then r.changes->>'password_hash' else users.password_hash end,
      is_deactivated = coalesce((r.changes->>'is_deactivated')::boolean, users.is_deactivated),
      is_locked = coalesce((r.changes->>'is_locked')::boolean, users.is_locked),
      is_ending = coalesce((r.changes->>'is_ending')::boolean, users.is_ending),
      is_suspended = coalesce((r.changes->>'is_suspended')::boolean, users.is_suspended),
      is_shadow_banned = coalesce((r.changes->>'is_shadow_banned')::boolean, users.is_shadow_banned),
      user_type = case when r.changes ? 'user_type' then r.changes->>'user_type' else users.user_type end,
      messages_per_second = case when r.changes ? 'messages_per_second'
        then (r.changes->>'messages_per_second')::int else users.messages_per_second end,
      burst_count = case when r.changes ? 'burst_count' then (r.changes->>'burst_count')::int else users.burst_count end,
      expires_ts = case when r.changes ? 'expires_ts' then (r.changes->>'expires_ts')::bigint else users.expires_ts end,
      keys_open_until_ts = case when r.changes ? 'keys_open_until_ts'
        then (r.changes->>'keys_open_until_ts')::bigint else users.keys_open_until_ts end,
      erased_position = case when (r.changes->>'is_erased')::boolean then starts[r.w + 1] + 1 else users.erased_position end
    from jsonb_to_recordset(p_rows->'user_updates') as r(w int, user_id text, changes jsonb)
    where users.user_id = r.user_id and starts[r.w + 1] is not null;
  end if;

  if p_rows ?| '{device_wipes,told_wipes}' then
    perform store_wipes(p_rows, starts);
  end if;

  if p_rows ? 'removed_devices' then
    with gone as (
      delete from devices using jsonb_to_recordset(p_rows->'removed_devices') as r(w int, user_id text, device_id text)
      where devices.user_id = r.user_id and devices.device_id = r.device_id and starts[r.w + 1] is not null
      returning devices.user_id, devices.device_id
    ), gone_messages as (
      delete from to_device using gone where (to_device.user_id, to_device.device_id) = (gone.user_id, gone.device_id)
    ), gone_keys as (
      delete from device_keys using gone where (device_keys.user_id, device_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_one_time_keys as (
      delete from one_time_keys using gone where (one_time_keys.user_id, one_time_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_fallback_keys as (
      delete from fallback_keys using gone where (fallback_keys.user_id, fallback_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_dehydrated as (
      update dehydrated_devices d set device_id = null, key_id = 0, sealed = null
      from gone where (d.user_id, d.device_id) = (gone.user_id, gone.device_id)
    ), gone_sliding_states as (
      -- Beyond the head nothing waits: what an answer holds just now goes by its age.
      delete from sliding_sync_states using (
        select s.user_id, s.device_id, s.conn_id, s.seq, s.state_id from sliding_sync_states s
        join gone on (s.user_id, s.device_id) = (gone.user_id, gone.device_id)
        for update of s skip locked
      ) old
      where (sliding_sync_states.user_id, sliding_sync_states.device_id, sliding_sync_states.conn_id,
        sliding_sync_states.seq, sliding_sync_states.state_id)
        = (old.user_id, old.device_id, old.conn_id, old.seq, old.state_id)
    )
    delete from key_signatures using gone
    where key_signatures.user_id = gone.user_id and (
      key_signatures.target = gone.device_id
      or key_signatures.signer = gone.user_id and key_signatures.signing_key = 'ed25519:' || gone.device_id);
  end if;

  if p_rows ? 'devices' then
    insert into devices (user_id, device_id, key_id, sealed, created_ts)
    select distinct on (user_id, device_id) user_id, device_id, key_id, sealed, created_ts
    from jsonb_to_recordset(p_rows->'devices')
      as r(w int, user_id text, device_id text, key_id bigint, sealed bytea, created_ts bigint)
    where starts[r.w + 1] is not null
    order by user_id, device_id, w desc
    on conflict (user_id, device_id) do update set key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'removed_tokens' then
    with gone as (
      delete from access_tokens using jsonb_to_recordset(p_rows->'removed_tokens') as r(w int, token_id bigint)
      where access_tokens.token_id = r.token_id and starts[r.w + 1] is not null
      returning access_tokens.token_id
    )
    delete from refresh_tokens using gone where refresh_tokens.access_token_id = gone.token_id;
  end if;

  -- All tokens of the device: none of its old refresh tokens may end the next session.
  if p_rows ? 'replaced_sessions' then
    delete from access_tokens using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (access_tokens.user_id, access_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    delete from refresh_tokens using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    delete from pushers using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (pushers.user_id, pushers.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
  end if;

  -- Access tokens alone; the refresh tokens given out with them stay known.
  if p_rows ? 'removed_access_tokens' then
    delete from access_tokens using jsonb_to_recordset(p_rows->'removed_access_tokens') as r(w int, token_id bigint)
    where access_tokens.token_id = r.token_id and starts[r.w + 1] is not null;
  end if;

  -- Its tokens stay known and are good for nothing: an access token that has expired,
  -- a refresh token whose replacement is gone.
  if p_rows ? 'ended_sessions' then
    update access_tokens set expires_ts = 0
    from jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (access_tokens.user_id, access_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    update refresh_tokens set next_hash = ''
    from jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null
      and next_hash is null;
    delete from pushers using jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (pushers.user_id, pushers.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
  end if;

  -- A used refresh token is remembered for thirty days.
  if p_rows ? 'used_refresh_tokens' then
    with used as (
      update refresh_tokens set next_hash = r.next_hash
      from jsonb_to_recordset(p_rows->'used_refresh_tokens') as r(w int, token_hash bytea, next_hash bytea)
      where refresh_tokens.token_hash = r.token_hash and starts[r.w + 1] is not null
      returning refresh_tokens.user_id, refresh_tokens.device_id
    )
    delete from refresh_tokens using used
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (used.user_id, used.device_id)
      and next_hash is not null and created_ts < p_now - 30 * 86400000::bigint;
  end if;

  if p_rows ? 'new_tokens' then
    insert into access_tokens (token_hash, token_id, user_id, device_id, expires_ts, created_ts, acted_by)
    select token_hash, token_id, user_id, device_id, expires_ts, created_ts, acted_by
    from jsonb_to_recordset(p_rows->'new_tokens')
      as r(w int, token_hash bytea, token_id bigint, user_id text, device_id text, expires_ts bigint, created_ts bigint,
        acted_by text)
    where starts[r.w + 1] is not null;
    insert into refresh_tokens (token_hash, user_id, device_id, access_token_id, created_ts)
    select refresh, user_id, device_id, token_id, created_ts
    from jsonb_to_recordset(p_rows->'new_tokens')
      as r(w int, refresh bytea, token_id bigint, user_id text, device_id text, created_ts bigint)
    where refresh is not null and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'profile_fields' then
    insert into profile_fields (user_id, name, position, key_id, sealed, media_id)
    select distinct on (user_id, name) user_id, name, starts[r.w + 1] + o + 1, key_id, sealed,
      (select media.media_id from media where media.media_id = r.media_id)
    from jsonb_to_recordset(p_rows->'profile_fields')
      as r(w int, o int, user_id text, name text, key_id bigint, sealed bytea, media_id text)
    where starts[r.w + 1] is not null
    order by user_id, name, w desc, o desc
    on conflict (user_id, name) do update set
      position = excluded.position, key_id = excluded.key_id, sealed = excluded.sealed, media_id = excluded.media_id;
  end if;

  if p_rows ? 'removed_profile_fields' then
    delete from profile_fields using jsonb_to_recordset(p_rows->'removed_profile_fields') as r(w int, user_id text, name text)
    where profile_fields.user_id = r.user_id and profile_fields.name = r.name and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'account_data' then
    insert into account_data (user_id, room_nid, type, position, key_id, sealed, media_ids)
    select distinct on (user_id, room_nid, type) user_id, room_nid, type, starts[r.w + 1] + o + 1, key_id, sealed,
      coalesce(media_ids, '{}')
    from jsonb_to_recordset(p_rows->'account_data')
      as r(w int, o int, user_id text, room_nid bigint, type text, key_id bigint, sealed bytea, media_ids text[])
    where starts[r.w + 1] is not null
    order by user_id, room_nid, type, w desc, o desc
    on conflict (user_id, room_nid, type) do update
      set position = excluded.position, key_id = excluded.key_id, sealed = excluded.sealed, media_ids = excluded.media_ids;
  end if;

  -- The same pushkey of an app is one user's, unless others are to keep it. Who sets a
  -- pusher again changes it, and its backlog waits no longer; of a user's pushers beyond
  -- a hundred the oldest go.
  if p_rows ? 'pushers' then
    for pusher in
      select * from jsonb_to_recordset(p_rows->'pushers')
        as r(w int, o int, pusher_id bigint, user_id text, device_id text, key_hash bytea, kind text, is_enabled boolean,
          shard smallint, is_appended boolean, key_id bigint, sealed bytea, created_ts bigint)
      where starts[r.w + 1] is not null order by w
    loop
      if not pusher.is_appended then
        delete from pushers where key_hash = pusher.key_hash and user_id <> pusher.user_id;
      end if;
      insert into pushers (
        pusher_id, user_id, device_id, key_hash, kind, is_enabled, shard, since_position, key_id, sealed, created_ts)
      values (
        pusher.pusher_id, pusher.user_id, pusher.device_id, pusher.key_hash, pusher.kind, pusher.is_enabled, pusher.shard,
        starts[pusher.w + 1] + pusher.o + 1, pusher.key_id, pusher.sealed, pusher.created_ts)
      on conflict (key_hash, user_id) do update set kind = excluded.kind, is_enabled = excluded.is_enabled,
        key_id = excluded.key_id, sealed = excluded.sealed,
        since_position = case when pushers.is_enabled then pushers.since_position else excluded.since_position end
      returning pusher_id into stored_id;
      insert into pusher_states (pusher_id) values (stored_id)
      on conflict (pusher_id) do update set failures = 0, failing_since_ts = null, retry_ts = '-infinity';
      delete from pushers where user_id = pusher.user_id and pusher_id in (
        select p.pusher_id from pushers p where p.user_id = pusher.user_id
        order by p.created_ts desc, p.pusher_id desc offset 100);
    end loop;
  end if;

  if p_rows ? 'removed_pushers' then
    delete from pushers using jsonb_to_recordset(p_rows->'removed_pushers') as r(w int, user_id text, key_hash bytea)
    where pushers.user_id = r.user_id and pushers.key_hash = r.key_hash and starts[r.w + 1] is not null;
  end if;

  -- What a deactivated account leaves behind, besides its devices.
  if p_rows ? 'cleared_users' then
    delete from profile_fields using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where profile_fields.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from account_data using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where account_data.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from filters using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where filters.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from stripped_states using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where stripped_states.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from notifications using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where notifications.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from push_modes using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where push_modes.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from pushers using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where pushers.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from third_party_ids using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where third_party_ids.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from external_ids using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where external_ids.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from delayed_events using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where delayed_events.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from known_places using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where known_places.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from download_counts using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where download_counts.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from thread_subscriptions using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where thread_subscriptions.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from cross_signing_keys using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where cross_signing_keys.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from key_signatures using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where key_signatures.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from dehydrated_devices using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where dehydrated_devices.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from user_attributes using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where user_attributes.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from withheld_rooms using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where withheld_rooms.user_id = r.user_id and starts[r.w + 1] is not null;
  end if;

  if p_rows ?| '{authority,admin_tokens,removed_admin_tokens,cleared_users}' then
    perform store_authority(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{third_party_ids,removed_third_party_ids,external_ids,removed_external_ids,pending_erasures,removed_erasures,due_erasures,held_erasures,notice_rooms,registration_tokens,registration_token_changes,removed_registration_tokens,job_pauses}' then
    perform store_accounts(p_rows, starts);
  end if;

  if p_rows ?| '{room_blocks,removed_room_blocks,admin_jobs,cancelled_admin_jobs,admin_job_items,pruned_extremities,quarantined_media,released_media,media_protections,removed_media,removed_reports}' then
    perform store_admin_rows(p_rows, starts, p_now);
  end if;

  if p_rows ? 'removed_url_previews' then
    with deleted as (
      delete from url_previews using jsonb_to_recordset(p_rows->'removed_url_previews') as r(w int, url_hash bytea, fetched_ts bigint)
      where (url_previews.url_hash, url_previews.fetched_ts) = (r.url_hash, r.fetched_ts) and starts[r.w + 1] is not null
      returning url_previews.media_id
    )
    delete from media using deleted
    where media.media_id = deleted.media_id
      and not is_named(media.media_id);
  end if;

  if p_rows ?| '{holds,hold_releases}' then
    perform store_holds(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{alerts,alert_acknowledgements}' then
    perform store_alerts(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{approval_uses,approval_changes}' then
    perform store_approvals(p_rows, starts);
  end if;

  if p_rows ?| '{policy_versions,policy_activations,user_attributes,room_attributes,inherited_attributes}' then
    perform store_policies(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{retention_drafts,retention_trials,retention_activations,removed_retention_policies}' then
    perform store_retention(p_rows, starts);
  end if;

  if p_rows ?| '{privacy_requests,privacy_request_changes,consents}' then
    perform store_privacy(p_rows, starts);
  end if;

  if p_rows ?| '{import_row_ends,cancelled_admin_jobs,campaigns,incidents,incident_changes}' then
    perform store_campaigns(p_rows, starts);
  end if;

  -- Messages to devices that are gone are dropped.
  if p_rows ? 'to_device' then
    insert into to_device (user_id, device_id, position, ordinal, key_id, sealed)
    select r.user_id, r.device_id, starts[r.w + 1] + o + 1, ordinal, r.key_id, r.sealed
    from jsonb_to_recordset(p_rows->'to_device')
      as r(w int, o int, ordinal smallint, user_id text, device_id text, key_id bigint, sealed bytea)
    join devices on devices.user_id = r.user_id and devices.device_id = r.device_id
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'device_keys' then
    insert into device_keys (user_id, device_id, json)
    select distinct on (user_id, device_id) user_id, device_id, json
    from jsonb_to_recordset(p_rows->'device_keys') as r(w int, user_id text, device_id text, json text)
    where starts[r.w + 1] is not null
    order by user_id, device_id, w desc
    on conflict (user_id, device_id) do update set json = excluded.json;
  end if;

  if p_rows ? 'one_time_keys' then
    insert into one_time_keys (user_id, device_id, algorithm, key_id, position, json)
    select user_id, device_id, algorithm, key_id, starts[r.w + 1] + o + 1, json
    from jsonb_to_recordset(p_rows->'one_time_keys')
      as r(w int, o int, user_id text, device_id text, algorithm text, key_id text, json text)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'fallback_keys' then
    insert into fallback_keys (user_id, device_id, algorithm, key_id, json, is_used)
    select distinct on (user_id, device_id, algorithm) user_id, device_id, algorithm, key_id, json, false
    from jsonb_to_recordset(p_rows->'fallback_keys')
      as r(w int, user_id text, device_id text, algorithm text, key_id text, json text)
    where starts[r.w + 1] is not null
    order by user_id, device_id, algorithm, w desc
    on conflict (user_id, device_id, algorithm) do update
      set key_id = excluded.key_id, json = excluded.json,
        is_used = fallback_keys.is_used and fallback_keys.json = excluded.json;
  end if;

  if p_rows ? 'cross_signing_keys' then
    insert into cross_signing_keys (user_id, usage, json, position)
    select distinct on (user_id, usage) user_id, usage, json, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'cross_signing_keys') as r(w int, o int, user_id text, usage text, json text)
    where starts[r.w + 1] is not null
    order by user_id, usage, w desc
    on conflict (user_id, usage) do update set json = excluded.json, position = excluded.position;
  end if;

  if p_rows ? 'key_signatures' then
    insert into key_signatures (user_id, target, signer, signing_key, signature, signed_hash)
    select distinct on (user_id, target, signer, signing_key)
      user_id, target, signer, signing_key, signature, signed_hash
    from jsonb_to_recordset(p_rows->'key_signatures')
      as r(w int, user_id text, target text, signer text, signing_key text, signature text, signed_hash bytea)
    where starts[r.w + 1] is not null
    order by user_id, target, signer, signing_key, w desc
    on conflict (user_id, target, signer, signing_key) do update
      set signature = excluded.signature, signed_hash = excluded.signed_hash;
  end if;

  if p_rows ? 'dehydrated_devices' then
    insert into dehydrated_devices (user_id, device_id, position, key_id, sealed)
    select distinct on (user_id) user_id, device_id, starts[r.w + 1] + o + 1, key_id, sealed
    from jsonb_to_recordset(p_rows->'dehydrated_devices')
      as r(w int, o int, user_id text, device_id text, key_id bigint, sealed bytea)
    where starts[r.w + 1] is not null
    order by user_id, w desc, o desc
    on conflict (user_id) do update set device_id = excluded.device_id, position = excluded.position,
      key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'reports' then
    insert into reports (report_id, position, reporter, room_id, event_id, user_id, key_id, sealed, created_ts)
    select report_id, starts[r.w + 1] + o + 1, reporter, room_id, event_id, user_id, key_id, sealed, created_ts
    from jsonb_to_recordset(p_rows->'reports')
      as r(w int, o int, report_id bigint, reporter text, room_id text, event_id text, user_id text, key_id bigint,
        sealed bytea, created_ts bigint)
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'device_list_changes' then
    insert into device_list_changes (user_id, position, viewer)
    select user_id, starts[r.w + 1] + o + 1, coalesce(viewer, '')
    from jsonb_to_recordset(p_rows->'device_list_changes') as r(w int, o int, user_id text, viewer text)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION public.store_wipes(p_rows jsonb, starts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  insert into device_wipes (wipe_id, user_id, device_id, ordered_by, ordered_ts)
  select wipe_id, user_id, device_id, ordered_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'device_wipes', '[]'))
    as r(w int, wipe_id text, user_id text, device_id text, ordered_by text)
  where starts[r.w + 1] is not null;
  insert into wiped_tokens (token_hash, wipe_id)
  select t.token_hash, r.wipe_id
  from jsonb_to_recordset(coalesce(p_rows->'device_wipes', '[]')) as r(w int, wipe_id text, user_id text, device_id text)
  join (
    select token_hash, user_id, device_id from access_tokens
    union all select token_hash, user_id, device_id from refresh_tokens) t
    on (t.user_id, t.device_id) = (r.user_id, r.device_id)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update device_wipes set told_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'told_wipes', '[]')) as r(w int, wipe_id text)
  where device_wipes.wipe_id = r.wipe_id and device_wipes.told_ts is null and starts[r.w + 1] is not null;
end $function$
;
