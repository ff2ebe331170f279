import { endpoints } from "../../src/http/endpoints.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import type { Json } from "../support/server.ts";

/** What stands in the parameters of a path. */
export interface Place {
  roomId: string;
  eventId: string;
  userId: string;
  deviceId: string;
  alias: string;
  /** Of a file that is there; one that is not, unless said. */
  mediaId?: string;
  /** Of an event that is to be sent later. */
  delayId?: string;
}

/** `PUT /_matrix/client/v3/…`, as endpoints.ts has it. */
export const nameOf = ({ method, path }: Endpoint): string =>
  `${method.toUpperCase()} ${path}`;

/** Parameters that a path names of itself, with a text that any of them may be. */
const plain: Readonly<Record<string, string>> = {
  eventType: "m.room.message",
  stateKey: "",
  txnId: "txn",
  type: "m.x",
  tag: "m.x",
  filterId: "1",
  keyName: "displayname",
  kind: "content",
  ruleId: "x",
  receiptType: "m.read",
  version: "1",
  sessionId: "session",
  rendezvousId: "meeting",
  serverName: "test",
  mediaId: "absent",
  fileName: "name.png",
  relType: "m.thread",
  roleId: "role",
  bindingId: "1",
  groupId: "group",
  policyId: "policy",
  tokenId: "1",
  action: "cancel",
  token: "token",
  medium: "email",
  address: "absent@example.org",
  provider: "idp",
  externalId: "absent",
  jobId: "absent",
  approvalId: "absent",
  reportId: "1",
  destination: "elsewhere.test",
  alertId: "1",
  certificateId: "absent",
  holdId: "absent",
  requestId: "absent",
  campaignId: "absent",
  incidentId: "absent",
};

const queries: Readonly<Record<string, string>> = {
  "/_synapse/admin/v1/username_available": "?username=someone",
  "/_synapse/admin/v1/search_users/:userId": "?term=x",
  "/_matrix/client/v3/rooms/:roomId/messages": "?dir=b",
  "/_matrix/client/v1/rooms/:roomId/timestamp_to_event": "?ts=0&dir=f",
  "/_matrix/client/v1/mutual_rooms": "?user_id=%40bob%3Atest",
  "/_matrix/client/v3/keys/changes": "?from=x&to=x",
  "/_matrix/client/v3/room_keys/keys": "?version=1",
  "/_matrix/client/v3/room_keys/keys/:roomId": "?version=1",
  "/_matrix/client/v3/room_keys/keys/:roomId/:sessionId": "?version=1",
  "/_myelin/client/v1/unsubscribe": "?token=1.x",
  "/_myelin/client/v1/consent": "?token=1.x",
  "/_matrix/client/v3/register/available": "?username=someone",
  "/_matrix/client/v1/media/preview_url": "?url=http%3A%2F%2F10.0.0.1%2F&ts=1",
  "/_matrix/federation/v1/openid/userinfo": "?access_token=x",
  "/_matrix/client/v1/media/thumbnail/:serverName/:mediaId":
    "?width=32&height=32",
  "/_matrix/media/v3/thumbnail/:serverName/:mediaId": "?width=32&height=32",
  "/_matrix/client/v1/register/m.login.registration_token/validity": "?token=x",
  "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions": "?dir=b",
  "/_synapse/admin/v1/rooms/:roomId/timestamp_to_event": "?ts=0&dir=f",
  "/_synapse/admin/v1/media/:serverName/delete": "?before_ts=0",
  "/_synapse/admin/v1/purge_media_cache": "?before_ts=0",
};

/** The path of a request of this endpoint, with all that it needs. */
export function pathTo({ path }: Endpoint, place: Place): string {
  const { roomId, alias, ...others } = place;
  const values: Readonly<Record<string, string>> = {
    ...plain,
    ...others,
    threadRoot: others.eventId,
    delayId: others.delayId ?? "absent",
    roomId,
    roomIdOrAlias: roomId,
    roomAlias: alias,
  };
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`What is :${name}?`);
    return encodeURIComponent(value);
  });
  return filled + (queries[path] ?? "");
}

const key = { user_id: "@x:test", usage: ["master"], keys: {} };
/** It denies nothing. */
const policy = {
  description: "d",
  rules: [
    {
      name: "r",
      effect: "allow",
      actions: ["call"],
      when: {
        all: [
          { eq: [{ user: "level" }, 1] },
          { not: { cidr: ["10.0.0.0/8"] } },
          { any: [{ in: [{ resource: "label" }, ["a", "b"]] }] },
          { time: { zone: "UTC", days: ["mon"], from: "08:00", to: "24:00" } },
        ],
      },
    },
  ],
};
const form = { username: "someone", password: "a long password" };
const backup = {
  algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
  auth_data: { public_key: "k" },
};
const deletion = {
  new_room_user_id: null,
  room_name: "n",
  message: "m",
  block: false,
  purge: false,
  force_purge: false,
};
const sessionKey = {
  first_message_index: 0,
  forwarded_count: 0,
  is_verified: false,
  session_data: { ciphertext: "c" },
};

/** A body that each endpoint takes for one of its form, by `nameOf`. */
const bodies: Readonly<Record<string, (place: Place) => Json>> = {
  "PUT /_synapse/admin/v1/rooms/:roomId/block": () => ({ block: false }),
  "DELETE /_synapse/admin/v1/rooms/:roomId": () => deletion,
  "DELETE /_synapse/admin/v2/rooms/:roomId": () => deletion,
  "POST /_synapse/admin/v1/join/:roomIdOrAlias": ({ userId }) => ({
    user_id: userId,
  }),
  "POST /_synapse/admin/v1/rooms/:roomIdOrAlias/make_room_admin": ({
    userId,
  }) => ({ user_id: userId }),
  "POST /_synapse/admin/v1/purge_history/:roomId/:eventId": () => ({
    purge_up_to_event_id: null,
    purge_up_to_ts: 1,
    delete_local_events: false,
  }),
  "POST /_synapse/admin/v1/user/:userId/redact": () => ({
    rooms: ["!absent:test"],
    reason: "r",
    limit: 1,
    use_admin: false,
    before_ts: 1,
    after_ts: 1,
  }),
  "POST /_matrix/client/v3/login": ({ userId }) => ({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password: "wrong",
    device_id: "D",
    initial_device_display_name: "d",
  }),
  "POST /_matrix/client/v3/register": () => ({
    ...form,
    device_id: "D",
    initial_device_display_name: "d",
  }),
  "POST /_matrix/client/v3/createRoom": () => ({
    name: "n",
    topic: "t",
    room_alias_name: "a",
    room_version: "12",
    invite: ["@nobody:test"],
    creation_content: { type: "t", "m.federate": true },
    initial_state: [{ type: "m.x", state_key: "", content: {} }],
    power_level_content_override: { users: { "@nobody:test": 1 } },
  }),
  "POST /_matrix/client/v3/rooms/:roomId/invite": () => ({
    user_id: "@nobody:test",
    reason: "r",
  }),
  "POST /_matrix/client/v3/rooms/:roomId/join": () => ({ reason: "r" }),
  "POST /_matrix/client/v3/join/:roomIdOrAlias": () => ({ reason: "r" }),
  "POST /_matrix/client/v3/knock/:roomIdOrAlias": () => ({ reason: "r" }),
  "POST /_matrix/client/v3/rooms/:roomId/leave": () => ({ reason: "r" }),
  "POST /_matrix/client/v3/rooms/:roomId/kick": () => ({
    user_id: "@nobody:test",
    reason: "r",
  }),
  "POST /_matrix/client/v3/rooms/:roomId/ban": () => ({
    user_id: "@nobody:test",
    reason: "r",
  }),
  "POST /_matrix/client/v3/rooms/:roomId/unban": () => ({
    user_id: "@nobody:test",
    reason: "r",
  }),
  "PUT /_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId": () => ({
    msgtype: "m.text",
    body: "b",
    "m.relates_to": { rel_type: "m.thread", event_id: "$x" },
    "m.mentions": { user_ids: ["@nobody:test"], room: false },
  }),
  "PUT /_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId": () => ({
    reason: "r",
    with_rel_types: ["m.replace"],
    "org.matrix.msc3912.with_relations": ["m.replace"],
  }),
  "POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/:delayId":
    () => ({ action: "cancel" }),
  "PUT /_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:threadRoot/subscription":
    () => ({ automatic: "$x" }),
  "PUT /_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey": () => ({
    membership: "join",
    name: "n",
  }),
  "POST /_matrix/client/v3/rooms/:roomId/upgrade": () => ({
    new_version: "11",
    additional_creators: ["@nobody:test"],
  }),
  "PUT /_matrix/client/v3/directory/room/:roomAlias": ({ roomId }) => ({
    room_id: roomId,
  }),
  "PUT /_matrix/client/v3/directory/list/room/:roomId": () => ({
    visibility: "private",
  }),
  "POST /_matrix/client/v3/publicRooms": () => ({
    limit: 1,
    since: "s",
    filter: { generic_search_term: "x", room_types: ["m.space"] },
    third_party_instance_id: "",
  }),
  "POST /_matrix/client/v3/user_directory/search": () => ({
    search_term: "x",
    limit: 1,
  }),
  "POST /_matrix/client/v3/search": () => ({
    search_categories: {
      room_events: {
        search_term: "x",
        keys: ["content.body"],
        filter: { limit: 1, types: ["m.room.message"] },
        order_by: "recent",
        event_context: {
          before_limit: 1,
          after_limit: 1,
          include_profile: true,
        },
        include_state: true,
        groupings: { group_by: [{ key: "room_id" }] },
      },
    },
  }),
  "POST /_matrix/client/v3/rooms/:roomId/report": () => ({ reason: "r" }),
  "POST /_matrix/client/v3/rooms/:roomId/report/:eventId": () => ({
    reason: "r",
    score: -100,
  }),
  "POST /_matrix/client/v3/users/:userId/report": () => ({ reason: "r" }),
  "PUT /_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag": () => ({
    order: 0.5,
  }),
  "POST /_matrix/client/v3/keys/upload/:deviceId": ({ userId, deviceId }) => ({
    device_keys: {
      user_id: userId,
      device_id: deviceId,
      algorithms: ["a"],
      keys: {},
      signatures: {},
    },
    one_time_keys: { "signed_curve25519:A": { key: "k", signatures: {} } },
    fallback_keys: {},
  }),
  "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync": ({
    roomId,
  }) => ({
    conn_id: "c",
    lists: {
      all: {
        ranges: [[0, 9]],
        timeline_limit: 1,
        required_state: [["m.room.name", ""]],
        filters: {
          is_dm: false,
          is_encrypted: false,
          is_invite: false,
          spaces: ["!absent:test"],
          room_types: ["m.space", null],
          not_room_types: ["m.space"],
          tags: ["m.favourite"],
          not_tags: ["m.lowpriority"],
        },
      },
    },
    room_subscriptions: {
      [roomId]: { timeline_limit: 1, required_state: [["*", "*"]] },
    },
    extensions: {
      to_device: { enabled: true, limit: 1 },
      e2ee: { enabled: true },
      account_data: { enabled: true, lists: ["all"], rooms: [roomId] },
      receipts: { enabled: true, lists: ["*"], rooms: ["*"] },
      typing: { enabled: true },
      "io.element.msc4308.thread_subscriptions": { enabled: true, limit: 1 },
    },
  }),
  "POST /_matrix/client/v3/keys/query": ({ userId }) => ({
    device_keys: { [userId]: ["D"] },
    timeout: 1,
  }),
  "POST /_matrix/client/v3/keys/claim": ({ userId, deviceId }) => ({
    one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } },
    timeout: 1,
  }),
  "POST /_matrix/client/v3/keys/device_signing/upload": () => ({
    master_key: key,
    self_signing_key: key,
    user_signing_key: key,
  }),
  "POST /_matrix/client/v3/keys/signatures/upload": ({ userId }) => ({
    [userId]: { D: { user_id: userId, signatures: { [userId]: {} } } },
  }),
  "PUT /_matrix/client/v3/sendToDevice/:eventType/:txnId": ({
    userId,
    deviceId,
  }) => ({ messages: { [userId]: { [deviceId]: { a: 1 } } } }),
  "POST /_matrix/client/v3/room_keys/version": () => backup,
  "PUT /_matrix/client/v3/room_keys/version/:version": () => backup,
  "PUT /_matrix/client/v3/room_keys/keys/:roomId/:sessionId": () => sessionKey,
  "PUT /_matrix/client/v3/room_keys/keys/:roomId": () => ({
    sessions: { session: sessionKey },
  }),
  "PUT /_matrix/client/v3/room_keys/keys": ({ roomId }) => ({
    rooms: { [roomId]: { sessions: { session: sessionKey } } },
  }),
  "PUT /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device": ({
    userId,
  }) => ({
    device_id: "SLEEPER",
    device_data: { algorithm: "a" },
    initial_device_display_name: "d",
    device_keys: {
      user_id: userId,
      device_id: "SLEEPER",
      algorithms: ["a"],
      keys: {},
      signatures: {},
    },
    one_time_keys: { "signed_curve25519:A": { key: "k", signatures: {} } },
    fallback_keys: {},
  }),
  "POST /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/:deviceId/events":
    () => ({ next_batch: "d0" }),
  "POST /_matrix/client/v1/login/get_token": () => ({
    auth: { type: "m.login.password", session: "s" },
  }),
  "POST /_matrix/client/unstable/io.element.msc4388/rendezvous": () => ({
    data: "d",
  }),
  "PUT /_matrix/client/unstable/io.element.msc4388/rendezvous/:rendezvousId":
    () => ({ sequence_token: "s", data: "d" }),
  "PUT /_matrix/client/v3/pushrules/global/:kind/:ruleId": () => ({
    actions: ["notify"],
    pattern: "p",
    conditions: [{ kind: "event_match", key: "k", pattern: "p" }],
  }),
  "PUT /_matrix/client/v3/pushrules/global/:kind/:ruleId/enabled": () => ({
    enabled: true,
  }),
  "PUT /_matrix/client/v3/pushrules/global/:kind/:ruleId/actions": () => ({
    actions: [{ set_tweak: "sound", value: "s" }],
  }),
  "POST /_matrix/client/v3/pushers/set": () => ({
    kind: "http",
    app_id: "app",
    pushkey: "key",
    app_display_name: "n",
    device_display_name: "d",
    profile_tag: "t",
    lang: "en",
    data: { url: "https://push.example.org/_matrix/push/v1/notify" },
    append: true,
    "org.matrix.msc3881.enabled": true,
  }),
  "POST /_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId":
    () => ({ thread_id: "main" }),
  "POST /_matrix/client/v3/rooms/:roomId/read_markers": ({ eventId }) => ({
    "m.fully_read": eventId,
    "m.read": eventId,
    "m.read.private": eventId,
  }),
  "PUT /_matrix/client/v3/rooms/:roomId/typing/:userId": () => ({
    typing: false,
    timeout: 1,
  }),
  "PUT /_myelin/admin/v1/retention/policies/:policyId": () => ({
    scope: { kind: "class", id: "direct" },
    min_lifetime: 60_000,
    max_lifetime: 60_000,
    redact: true,
    receipts: true,
    basis: "age",
    description: "d",
  }),
  "POST /_myelin/admin/v1/retention/policies/:policyId/activate": () => ({
    version: 1,
  }),
  "POST /_myelin/admin/v1/roles": () => ({
    role_id: "made-up",
    description: "d",
    permissions: ["roles.read"],
  }),
  "PUT /_myelin/admin/v1/roles/:roleId": () => ({
    description: "d",
    permissions: ["roles.read"],
  }),
  "POST /_myelin/admin/v1/role-bindings": () => ({
    user_id: "@nobody:test",
    role: "auditor",
    scope: { kind: "server" },
    expires_ts: null,
    reason: "r",
  }),
  "POST /_myelin/admin/v1/groups": () => ({
    group_id: "made-up",
    description: "d",
  }),
  "PUT /_myelin/admin/v1/policies/:policyId": () => policy,
  "POST /_myelin/admin/v1/policies/:policyId/activate": () => ({ version: 1 }),
  "POST /_myelin/admin/v1/policies/simulate": ({ userId }) => ({
    policy_id: "tried",
    document: policy,
    cases: [
      {
        user_id: userId,
        action: "send",
        event_type: "m.x",
        env: { network: "10.0.0.1", verified_device: true, ts: 1 },
      },
    ],
  }),
  "PUT /_myelin/admin/v1/users/:userId/attributes": () => ({
    attributes: { level: 1, team: ["a"], open: true },
  }),
  "PUT /_myelin/admin/v1/rooms/:roomId/attributes": () => ({
    attributes: { level: 1, label: "l" },
  }),
  "POST /_myelin/admin/v1/tokens": () => ({
    name: "n",
    permissions: ["roles.read"],
    networks: ["127.0.0.0/8"],
    expires_ts: Date.now() + 60_000,
  }),
  "POST /_myelin/admin/v1/approvals/:approvalId/approve": () => ({
    comment: "c",
  }),
  "POST /_myelin/admin/v1/approvals/:approvalId/deny": () => ({
    comment: "c",
  }),
  "POST /_myelin/admin/v1/approvals/:approvalId/break-glass": () => ({
    comment: "c",
  }),
  "POST /_myelin/admin/v1/approvals/:approvalId/review": () => ({
    comment: "c",
  }),
  "POST /_myelin/admin/v1/me/approvals/:approvalId/break-glass": () => ({
    reason: "r",
  }),
  "POST /_myelin/admin/v1/audit/reviews": () => ({
    from_seq: 1,
    to_seq: 1,
    comment: "c",
  }),
  "POST /_myelin/admin/v1/campaigns": ({ userId }) => ({
    name: "n",
    content: {
      ...{ msgtype: "m.text", body: "b", formatted_body: "<b>b</b>" },
      format: "org.matrix.custom.html",
    },
    reminder: null,
    audience: { kind: "users", users: [userId] },
    remind_after_ms: null,
    max_reminders: 1,
    open_for_ms: 60_000,
  }),
  "POST /_myelin/admin/v1/incidents": () => ({
    ...{ title: "t", severity: "low", summary: "s" },
    ...{ from_ts: 1, to_ts: 2, aware_ts: 3 },
  }),
  "PUT /_myelin/admin/v1/incidents/:incidentId": () => ({
    ...{ version: 1, title: "t", severity: "low", summary: "s" },
    ...{ from_ts: 1, to_ts: 2, campaign_id: "c", notification: "n" },
  }),
  "POST /_myelin/admin/v1/incidents/:incidentId/close": () => ({
    version: 1,
    report: "r",
  }),
  "POST /_myelin/admin/v1/incidents/:incidentId/end-sessions": ({
    userId,
    deviceId,
  }) => ({
    sessions: [{ user_id: userId, device_id: deviceId }],
    wipe: false,
    admin_tokens: false,
  }),
  "POST /_myelin/admin/v1/holds": () => ({
    ...{ name: "n", case_id: "c", reason: "r" },
    users: ["@nobody:test"],
  }),
  "POST /_myelin/admin/v1/holds/:holdId/release": () => ({ reason: "r" }),
  "POST /_myelin/admin/v1/alerts/:alertId/acknowledge": () => ({
    comment: "c",
  }),
  "POST /_myelin/client/v1/privacy/consents": () => ({ locale: "en" }),
  "POST /_myelin/client/v1/privacy/requests": () => ({
    kind: "access",
    message: "m",
  }),
  "PUT /_myelin/admin/v1/users/:userId/rectification": () => ({
    displayname: "n",
    avatar_url: "mxc://test/a",
    threepids: [],
  }),
  "POST /_myelin/admin/v1/dsr": ({ userId }) => ({
    user_id: userId,
    kind: "access",
    message: "m",
    due_days: 30,
  }),
  "PUT /_myelin/admin/v1/dsr/:requestId": () => ({
    state: "open",
    due_ts: 1,
    note: "n",
    identity_check: "i",
  }),
  "PUT /_synapse/admin/v2/users/:userId": () => ({
    displayname: "n",
    avatar_url: "mxc://test/a",
    logout_devices: false,
    threepids: [],
    external_ids: [],
    admin: false,
    deactivated: false,
    locked: false,
    user_type: null,
  }),
  "PUT /_synapse/admin/v1/users/:userId/admin": () => ({ admin: false }),
  "POST /_synapse/admin/v1/reset_password/:userId": () => ({
    new_password: "another password",
    logout_devices: false,
  }),
  "POST /_synapse/admin/v1/deactivate/:userId": () => ({ erase: false }),
  "PUT /_synapse/admin/v1/suspend/:userId": () => ({ suspend: false }),
  "PUT /_matrix/client/v1/admin/suspend/:userId": () => ({ suspended: false }),
  "PUT /_matrix/client/v1/admin/lock/:userId": () => ({ locked: false }),
  "POST /_synapse/admin/v1/account_validity/validity": ({ userId }) => ({
    user_id: userId,
    expiration_ts: 8_000_000_000_000,
    enable_renewal_emails: false,
  }),
  "POST /_synapse/admin/v1/users/:userId/login": () => ({
    valid_until_ms: 8_000_000_000_000,
  }),
  "POST /_synapse/admin/v1/users/:userId/override_ratelimit": () => ({
    messages_per_second: 1,
    burst_count: 1,
  }),
  "PUT /_synapse/admin/v1/experimental_features/:userId": () => ({
    features: { msc3575: true },
  }),
  "POST /_synapse/admin/v2/users/:userId/devices": () => ({ device_id: "D2" }),
  "PUT /_synapse/admin/v2/users/:userId/devices/:deviceId": () => ({
    display_name: "d",
  }),
  "POST /_synapse/admin/v2/users/:userId/delete_devices": () => ({
    devices: ["D2"],
  }),
  "POST /_synapse/admin/v1/registration_tokens/new": () => ({
    length: 16,
    uses_allowed: 1,
    expiry_time: null,
  }),
  "PUT /_synapse/admin/v1/registration_tokens/:token": () => ({
    uses_allowed: 1,
    expiry_time: null,
  }),
  "POST /_synapse/admin/v1/send_server_notice": ({ userId }) => ({
    user_id: userId,
    content: { body: "b" },
    type: "m.room.message",
  }),
  "PUT /_synapse/admin/v1/send_server_notice/:txnId": ({ userId }) => ({
    user_id: userId,
    content: { body: "b" },
    type: "m.room.message",
  }),
  "POST /_synapse/admin/v1/background_updates/enabled": () => ({
    enabled: true,
  }),
  "POST /_synapse/admin/v1/background_updates/start_job": () => ({
    job_name: "regenerate_directory",
  }),
  "POST /_synapse/admin/v1/register": () => ({
    ...form,
    nonce: "n",
    mac: "m",
    displayname: "d",
    user_type: null,
    admin: false,
  }),
  "POST /_matrix/client/v3/refresh": () => ({ refresh_token: "r" }),
  "PUT /_matrix/client/v3/devices/:deviceId": () => ({ display_name: "d" }),
  "DELETE /_matrix/client/v3/devices/:deviceId": () => ({
    auth: { type: "m.login.dummy", session: "s" },
  }),
  "POST /_matrix/client/v3/delete_devices": () => ({
    devices: ["D"],
    auth: { type: "m.login.password", session: "s" },
  }),
  "POST /_matrix/client/v3/account/password": () => ({
    new_password: "another password",
    auth: { type: "m.login.password", session: "s" },
  }),
  "POST /_matrix/client/v3/account/deactivate": () => ({
    auth: { type: "m.login.password", session: "s" },
  }),
  "PUT /_matrix/client/v3/profile/:userId/:keyName": () => ({
    displayname: "n",
  }),
  "PUT /_matrix/client/v3/user/:userId/account_data/:type": () => ({ a: "b" }),
  "PUT /_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type":
    () => ({ a: "b" }),
  "POST /_matrix/client/v3/user/:userId/filter": () => ({
    event_fields: ["type"],
    event_format: "client",
    presence: { limit: 1, types: ["m.*"] },
    account_data: {},
    room: {
      rooms: ["!a:b"],
      not_rooms: ["!a:b"],
      include_leave: false,
      timeline: {
        limit: 1,
        senders: ["@a:b"],
        contains_url: true,
        lazy_load_members: true,
      },
      state: {},
      ephemeral: {},
      account_data: {},
    },
  }),
  "POST /_matrix/client/v3/user/:userId/openid/request_token": () => ({}),
  "PUT /_matrix/client/v3/presence/:userId/status": () => ({
    presence: "online",
    status_msg: "s",
  }),
};

/** Undefined for an endpoint that reads no body; throws for one that is not listed. */
export function bodyFor(endpoint: Endpoint, place: Place): Json | undefined {
  if (endpoint.body === undefined) return undefined;
  const body = bodies[nameOf(endpoint)];
  if (body) return body(place);
  throw new TypeError(`${nameOf(endpoint)} has no body in the security specs.`);
}

export const endpointsWithBody: readonly Endpoint[] = endpoints.filter(
  ({ body }) => body !== undefined,
);
