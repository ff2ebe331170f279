import { createHmac } from "node:crypto";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { userEndpoints } from "../../../src/http/admin/synapse/user-endpoints.ts";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";
import { bindRole } from "../../support/administrators.ts";
import { newCrossSigning, newDevice } from "../../support/device-identity.ts";
import { keyData, makeBackup } from "../../support/key-backup.ts";
import { uploadImage } from "../../support/media.ts";
import { reply } from "../../support/relations.ts";
import {
  act,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import type { Json, TestServer, TestUser } from "../../support/server.ts";
import { bodyFor, nameOf, pathTo } from "../requests.ts";
import type { Place } from "../requests.ts";

const THREADS = "/_matrix/client/unstable/io.element.msc4306";

export const SHARED_SECRET = "a shared secret of the spec";

/** A user with one of all that an endpoint may name. */
export interface Stage extends Place {
  number: number;
  user: TestUser;
  others: Others;
  filterId: string;
  since: string;
  delayId: string;
  /** In the thread of the stage's event, which the user is subscribed to. */
  replyId: string;
  refreshToken: string;
  leftRoomId: string;
  /** A second device of the same user. */
  spareDeviceId: string;
  nonce: string;
  /** Of the user's key backup, which has a key of the room. */
  version: string;
  /** Of two meetings of devices, and what stands there. */
  meeting: { id: string; token: string };
  textMeeting: { id: string; tag: string };
  /** One of each that the user, who is a security-admin, has made. */
  admin: {
    roleId: string;
    groupId: string;
    bindingId: number;
    tokenId: number;
    policyId: string;
  };
  /** A system-admin, and whom that one's acts are of. */
  operator: TestUser;
  target: TestUser;
  /** A registration token. */
  token: string;
  /** Reports and tasks for those who run the server, which the user does too. */
  reports: { event: number; user: number; room: number };
  tasks: { deletion: string; purge: string; redaction: string };
  /** For auditors, who the user is too. */
  alertId: number;
  /** Of somebody else, of the user, and one that was done in haste. */
  approvals: { others: string; own: string; done: string };
  /** Of an image. */
  mediaId: string;
  /** To upload to. */
  pendingId: string;
}

/** Whom the users of all stages meet. */
export interface Others {
  bob: TestUser;
  carol: TestUser;
  /** Of bob's: one may ask to enter it. */
  knockRoomId: string;
}

let stages = 0;

export async function setOthers(server: TestServer): Promise<Others> {
  const bob = await server.user("bob");
  const carol = await server.user("carol");
  const knockRoomId = await makeRoom(bob, {
    initial_state: [
      { type: "m.room.join_rules", content: { join_rule: "knock" } },
    ],
  });
  return { bob, carol, knockRoomId };
}

export async function setStage(
  server: TestServer,
  others: Others,
): Promise<Stage> {
  const number = (stages += 1);
  const user = await server.user(`alice${number}`);
  const { userId, deviceId } = user;
  const alias = `#a${number}:test`;
  const roomId = await makeRoom(user, {
    preset: "public_chat",
    room_alias_name: `a${number}`,
  });
  await act(others.bob, roomId, "join");
  await act(user, roomId, "ban", { user_id: "@dora:test" });
  const eventId = await say(user, roomId, "hello");
  const replyId = await reply(user, roomId, eventId);
  const subscription = path`/rooms/${roomId}/thread/${eventId}/subscription`;
  must(await user.put(`${THREADS}${subscription}`, {}));
  const later = path`/rooms/${roomId}/send/m.room.message/later`;
  const { delay_id: delayId } = must<{ delay_id: string }>(
    await user.put(`${later}?org.matrix.msc4140.delay=3600000`, {}),
  );
  const own = path`/user/${userId}`;
  const room = path`/rooms/${roomId}`;
  const rule = { actions: ["notify"], pattern: "p" };
  const { filter_id } = must<{ filter_id: string }>(
    await user.post(`${own}/filter`, {}),
  );
  must(await user.put(`${own}/account_data/m.x`, { a: 1 }));
  must(await user.put(`${own}${room}/account_data/m.x`, { a: 1 }));
  must(await user.put(`${own}${room}/tags/m.x`, { order: 0.5 }));
  must(await user.put("/pushrules/global/content/x", rule));
  await setState(user, roomId, "m.room.message", { is: "state" });
  const { next_batch } = must<{ next_batch: string }>(await user.get("/sync"));
  const login = must<{ refresh_token: string; device_id: string }>(
    await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: userId },
      password: user.password,
      refresh_token: true,
    }),
  );
  const leftRoomId = await makeRoom(user);
  await act(user, leftRoomId, "leave");
  const { nonce } = must<{ nonce: string }>(
    await server.get("/_synapse/admin/v1/register"),
  );
  must(await user.put(SLEEPERS, sleeper(user)));
  const version = await makeBackup(user);
  const keys = `${path`/room_keys/keys/${roomId}/session`}?version=${version}`;
  must(await user.put(keys, keyData()));
  const { id, sequence_token } = must<{ id: string; sequence_token: string }>(
    await server.post(MEETINGS, { data: "d" }),
  );
  const textMeeting = await server.ask("POST", TEXT_MEETINGS, "text", AS_TEXT);
  const image = await uploadImage(user);
  const admin = await makeAuthority(server, user, number);
  const operation = await makeOperation(server, number);
  const reports = await makeReports(server, number, {
    roomId,
    eventId,
    userId,
  });
  const tasks = await makeTasks(server, number, { roomId, userId });
  const alertId = await makeAlert(server, number);
  const approvals = await makeApprovals(server, number, userId);
  const pending = must<{ content_uri: string }>(
    await user.post("/_matrix/media/v1/create"),
  );
  return {
    ...{ number, user, others, roomId, eventId, alias, userId, deviceId },
    mediaId: image,
    ...operation,
    ...{ admin, reports, tasks, alertId, approvals },
    pendingId: pending.content_uri.split("/").at(-1)!,
    leftRoomId,
    filterId: filter_id,
    ...{ replyId, delayId },
    since: next_batch,
    refreshToken: login.refresh_token,
    spareDeviceId: login.device_id,
    nonce,
    version,
    meeting: { id, token: sequence_token },
    textMeeting: {
      id: String(textMeeting.body["url"]).split("/").at(-1)!,
      tag: String(textMeeting.headers.etag),
    },
  };
}

async function makeAlert(
  { database: { sql } }: TestServer,
  number: number,
): Promise<number> {
  await sql`
    insert into alerts (alert_id, detector, severity, subject, span, facts, is_locked, raised_ts)
    values (${number}, 'password_spray', 'high', 'a network', ${number}, '{}', false, 1)`;
  return number;
}

interface Subjects {
  roomId: string;
  eventId: string;
  userId: string;
}

async function makeReports(
  { database: { sql } }: TestServer,
  number: number,
  { roomId, eventId, userId }: Subjects,
): Promise<Stage["reports"]> {
  const first = number * 10;
  const sealed = Buffer.from(JSON.stringify({ reason: "r" }));
  const reports = { event: first + 1, user: first + 2, room: first + 3 };
  for (const [id, of] of [
    [reports.event, { roomId, eventId }],
    [reports.user, { userId }],
    [reports.room, { roomId }],
  ] as const) {
    const about: Partial<Subjects> = of;
    await sql`
      insert into reports (report_id, position, reporter, room_id, event_id, user_id, key_id, sealed, created_ts)
      values (${id}, 0, ${userId}, ${about.roomId ?? null}, ${about.eventId ?? null}, ${about.userId ?? null}, 0, ${sealed}, 1)`;
  }
  return reports;
}

async function makeTasks(
  { database: { sql } }: TestServer,
  number: number,
  { roomId, userId }: Pick<Subjects, "roomId" | "userId">,
): Promise<Stage["tasks"]> {
  const [deletion, purge, redaction] = ["d", "p", "r"].map(
    (kind) => `${kind}${number}`,
  ) as [string, string, string];
  const params = JSON.stringify({ localAliases: [], newRoomId: null });
  for (const [id, kind, state] of [
    [deletion, "delete-room", "complete"],
    [purge, "purge-history", "complete"],
    [redaction, "redact-user", "scheduled"],
  ] as const)
    await sql`
      insert into admin_jobs (job_id, kind, room_id, user_id, params, state, not_before, created_by, created_ts)
      values (${id}, ${kind}, ${roomId}, ${userId}, ${params}, ${state}, 9007199254740991, ${userId}, 1)`;
  return { deletion, purge, redaction };
}

async function makeApprovals(
  { database: { sql } }: TestServer,
  number: number,
  userId: string,
): Promise<Stage["approvals"]> {
  const [others, own, done] = ["others", "own", "done"].map(
    (kind) => `${kind}${number}`,
  ) as [string, string, string];
  const sealed = Buffer.from("{}");
  const absent = "@absent:test";
  for (const [id, by, state, decidedBy] of [
    [others, absent, "pending", null],
    [own, userId, "pending", null],
    [done, absent, "used", absent],
  ] as const)
    await sql`
      insert into approvals (approval_id, requested_by, request_hash, permissions, state, requested_ts, expires_ts,
        decided_by, glass_reason, is_break_glass, key_id, sealed)
      values (${id}, ${by}, ${id}, '{rooms.delete}', ${state}, 1, 9007199254740991, ${decidedBy}, 'r',
        ${state === "used"}, 0, ${sealed})`;
  return { others, own, done };
}

const ADMIN = "/_myelin/admin/v1";

async function makeAuthority(
  server: TestServer,
  user: TestUser,
  number: number,
): Promise<Stage["admin"]> {
  await bindRole(server, user.userId, "security-admin");
  await bindRole(server, user.userId, "auditor");
  await bindRole(server, user.userId, "system-admin");
  await bindRole(server, user.userId, "privacy-officer");
  await bindRole(server, user.userId, "compliance-officer");
  const ids = { roleId: `role${number}`, groupId: `group${number}` };
  const description = "d";
  const permissions = ["roles.read"];
  const role = { role_id: ids.roleId, description, permissions };
  must(await user.post(`${ADMIN}/roles`, role));
  const group = { group_id: ids.groupId, description };
  must(await user.post(`${ADMIN}/groups`, group));
  const member = path`/groups/${ids.groupId}/members/${user.userId}`;
  must(await user.put(`${ADMIN}${member}`, undefined));
  const { token_id } = must<{ token_id: number }>(
    await user.post(`${ADMIN}/tokens`, {
      ...{ name: "n", permissions },
      expires_ts: Date.now() + 60_000,
    }),
  );
  const bindingId = await bindRole(server, `@bound${number}:test`, "auditor");
  const policyId = await makePolicy(server, number);
  return { ...ids, bindingId, tokenId: token_id, policyId };
}

/** Of somebody else's: whoever asks did not write it. It denies nothing. */
async function makePolicy(
  { database: { sql } }: TestServer,
  number: number,
): Promise<string> {
  const policyId = `policy${number}`;
  const rules = [{ name: "r", effect: "allow", actions: ["call"] }];
  const document = JSON.stringify({ rules });
  await sql`insert into policies (policy_id, active_version) values (${policyId}, 2)`;
  for (const version of [1, 2]) {
    await sql`
      insert into policy_versions (policy_id, version, document, author, created_ts)
      values (${policyId}, ${version}, ${document}, '@author:test', 1)`;
    await sql`
      insert into policy_activations (policy_id, version, activated_by, activated_ts)
      values (${policyId}, ${version}, '@activator:test', 1)`;
  }
  return policyId;
}

const SYNAPSE = "/_synapse/admin/v1";

async function makeOperation(
  server: TestServer,
  number: number,
): Promise<Pick<Stage, "operator" | "target" | "token">> {
  const operator = await server.user(`operator${number}`);
  await bindRole(server, operator.userId, "system-admin");
  await bindRole(server, operator.userId, "privacy-officer");
  const target = await server.user(`target${number}`);
  const identity = newCrossSigning(target.userId).body;
  must(await target.post("/keys/device_signing/upload", identity));
  const token = `token${number}`;
  must(await operator.post(`${SYNAPSE}/registration_tokens/new`, { token }));
  const ids = {
    threepids: [{ medium: "email", address: `t${number}@example.org` }],
    external_ids: [{ auth_provider: "idp", external_id: `t${number}` }],
  };
  const place = `/_synapse/admin/v2/users/${target.userId}`;
  must(await operator.put(place, ids));
  return { operator, target, token };
}

const OF_SECURITY = BUILT_IN_ROLES.get("security-admin")!.permissions;

/** Who may ask it: most of what administrators do takes another one than who grants. */
export const askerOf = (
  endpoint: Endpoint,
  { user, operator }: Stage,
): TestUser =>
  isOfOther(endpoint) && !OF_SECURITY.includes(endpoint.permission!)
    ? operator
    : user;

/** Whether an administrator does it to somebody else. */
const isOfOther = (endpoint: Endpoint): boolean =>
  (userEndpoints.includes(endpoint) ||
    endpoint.path.startsWith("/_myelin/admin/v1/users/:userId/")) &&
  endpoint.permission !== undefined &&
  endpoint.ownToo !== true;

const MEETINGS = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
const TEXT_MEETINGS = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const AS_TEXT = { headers: { "content-type": "text/plain" } };
const SLEEPERS =
  "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

const uiaOf = ({ user, userId }: Stage): Json => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user: userId },
  password: user.password,
});

const signed = ({ number, nonce }: Stage): Json => {
  const [username, password] = [`signed${number}`, "a long password"];
  const parts = [nonce, username, password, "notadmin"];
  const mac = createHmac("sha1", SHARED_SECRET).update(parts.join("\0"));
  return { nonce, username, password, mac: mac.digest("hex") };
};

const identity = ({ userId, deviceId }: Stage): Json => {
  const device = newDevice({ userId, deviceId });
  return {
    device_keys: device.deviceKeys,
    one_time_keys: device.oneTimeKey("A"),
    fallback_keys: device.oneTimeKey("B"),
  };
};

const sleeper = ({ userId }: Pick<Stage, "userId">): Json => {
  const device = newDevice({ userId, deviceId: "SLEEPER" });
  return {
    device_id: "SLEEPER",
    device_data: { algorithm: "a" },
    initial_device_display_name: "d",
    device_keys: device.deviceKeys,
    one_time_keys: device.oneTimeKey("A"),
    fallback_keys: device.oneTimeKey("B"),
  };
};

/** What `requests.ts` has only in its form, here so that it is accepted too. */
const accepted: Readonly<Record<string, (stage: Stage) => Json>> = {
  "POST /_matrix/client/v3/login": (stage) => ({
    ...uiaOf(stage),
    device_id: "D",
    initial_device_display_name: "d",
  }),
  "POST /_matrix/client/v3/register": ({ number }) => ({
    username: `someone${number}`,
    password: "a long password",
    auth: { type: "m.login.dummy" },
    device_id: "D",
  }),
  "POST /_matrix/client/v3/createRoom": ({ number, others }) => ({
    name: "n",
    topic: "t",
    room_alias_name: `made${number}`,
    room_version: "12",
    invite: [others.bob.userId],
    creation_content: { type: "t", "m.federate": true },
    initial_state: [{ type: "m.x", state_key: "", content: {} }],
    power_level_content_override: { users: { "@nobody:test": 1 } },
    visibility: "private",
    preset: "private_chat",
    is_direct: true,
  }),
  ...Object.fromEntries(
    ["invite", "kick", "ban"].map((what) => [
      `POST /_matrix/client/v3/rooms/:roomId/${what}`,
      ({ others }: Stage) => ({
        user_id: what === "kick" ? others.bob.userId : others.carol.userId,
        reason: "r",
      }),
    ]),
  ),
  "POST /_matrix/client/v3/rooms/:roomId/unban": () => ({
    user_id: "@dora:test",
    reason: "r",
  }),
  "PUT /_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId": ({
    eventId,
  }) => ({
    msgtype: "m.text",
    body: "b",
    "m.relates_to": { rel_type: "m.thread", event_id: eventId },
    "m.mentions": { user_ids: ["@nobody:test"], room: false },
  }),
  "PUT /_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:threadRoot/subscription":
    ({ replyId }) => ({ automatic: replyId }),
  "POST /_matrix/client/v3/rooms/:roomId/upgrade": ({ others }) => ({
    new_version: "12",
    additional_creators: [others.bob.userId],
  }),
  "POST /_matrix/client/v3/publicRooms": () => ({
    limit: 1,
    filter: { generic_search_term: "x", room_types: ["m.space", null] },
  }),
  "POST /_matrix/client/v3/keys/upload/:deviceId": identity,
  "POST /_matrix/client/v3/keys/device_signing/upload": (stage) => ({
    ...newCrossSigning(stage.userId).body,
    auth: uiaOf(stage),
  }),
  [`PUT ${SLEEPERS}`]: sleeper,
  "POST /_matrix/client/v1/login/get_token": (stage) => ({
    auth: uiaOf(stage),
  }),
  [`PUT ${MEETINGS}/:rendezvousId`]: ({ meeting }) => ({
    sequence_token: meeting.token,
    data: "d",
  }),
  "PUT /_matrix/client/v3/pushrules/global/:kind/:ruleId": () => ({
    actions: ["notify"],
    pattern: "p",
  }),
  "POST /_matrix/client/v3/refresh": ({ refreshToken }) => ({
    refresh_token: refreshToken,
  }),
  "DELETE /_matrix/client/v3/devices/:deviceId": (stage) => ({
    auth: uiaOf(stage),
  }),
  "POST /_matrix/client/v3/delete_devices": (stage) => ({
    devices: [stage.spareDeviceId],
    auth: uiaOf(stage),
  }),
  "POST /_matrix/client/v3/account/password": (stage) => ({
    new_password: "another password",
    auth: uiaOf(stage),
  }),
  "POST /_matrix/client/v3/account/deactivate": (stage) => ({
    auth: uiaOf(stage),
    erase: false,
  }),
  "POST /_myelin/admin/v1/audit/reviews": () => ({
    from_seq: 1,
    to_seq: 1,
    comment: "c",
  }),
  "POST /_myelin/admin/v1/roles": ({ number }) => ({
    role_id: `made${number}`,
    description: "d",
    permissions: ["roles.read"],
  }),
  "POST /_myelin/admin/v1/role-bindings": ({ others }) => ({
    user_id: others.carol.userId,
    role: "helpdesk",
    scope: { kind: "users", users: [others.bob.userId] },
    expires_ts: null,
    reason: "r",
  }),
  "POST /_myelin/admin/v1/groups": ({ number }) => ({
    group_id: `made${number}`,
    description: "d",
  }),
  "POST /_synapse/admin/v1/register": signed,
};

/** Where a path needs another place than the stage's own. */
function placeFor(name: string, stage: Stage): Place {
  const { roomId, eventId, userId, deviceId, alias, delayId } = stage;
  const place = { roomId, eventId, userId, deviceId, alias, delayId };
  switch (name) {
    case "POST /_matrix/client/v3/knock/:roomIdOrAlias":
      return { ...place, roomId: stage.others.knockRoomId };
    case "POST /_matrix/client/v3/rooms/:roomId/forget":
      return { ...place, roomId: stage.leftRoomId };
    case "PUT /_matrix/client/v3/directory/room/:roomAlias":
      return { ...place, alias: `#new${stage.number}:test` };
    case "DELETE /_matrix/client/v3/devices/:deviceId":
      return { ...place, deviceId: stage.spareDeviceId };
    case `GET ${SLEEPERS}/:deviceId/events`:
    case `POST ${SLEEPERS}/:deviceId/events`:
      return { ...place, deviceId: "SLEEPER" };
    case "PUT /_matrix/media/v3/upload/:serverName/:mediaId":
      return { ...place, mediaId: stage.pendingId };
    default:
      return { ...place, mediaId: stage.mediaId };
  }
}

export interface ValidRequest {
  method: string;
  target: string;
  body: JsonObject | undefined;
  headers?: Record<string, string>;
}

/** A request that this endpoint accepts from the stage's user. */
export function validRequest(endpoint: Endpoint, stage: Stage): ValidRequest {
  const name = nameOf(endpoint);
  const { target: other } = stage;
  const standing = placeFor(name, stage);
  const { userId, deviceId } = other;
  const place = isOfOther(endpoint)
    ? { ...standing, userId, deviceId }
    : standing;
  const { reports, tasks } = stage;
  const isText = endpoint.path.startsWith(TEXT_MEETINGS);
  const path = endpoint.path
    .replace(":filterId", stage.filterId)
    .replace(":roleId", stage.admin.roleId)
    .replace(":groupId", stage.admin.groupId)
    .replace(/(?<!retention\/policies\/):policyId/, stage.admin.policyId)
    .replace(":bindingId", String(stage.admin.bindingId))
    .replace(":tokenId", String(stage.admin.tokenId))
    .replace(/:token$/, stage.token)
    .replace(":address", `t${stage.number}@example.org`)
    .replace(":externalId", `t${stage.number}`)
    .replace(/(?<=delete_status\/):jobId/, tasks.deletion)
    .replace(/(?<=purge_history_status\/):jobId/, tasks.purge)
    .replace(":jobId", tasks.redaction)
    .replace(":alertId", String(stage.alertId))
    .replace(/(?<=me\/approvals\/):approvalId/, stage.approvals.own)
    .replace(/:approvalId(?=\/review)/, stage.approvals.done)
    .replace(":approvalId", stage.approvals.others)
    .replace(/(?<=event_reports\/):reportId/, String(reports.event))
    .replace(/(?<=user_reports\/):reportId/, String(reports.user))
    .replace(":reportId", String(reports.room))
    .replace(":rendezvousId", isText ? stage.textMeeting.id : stage.meeting.id);
  const filled = pathTo({ ...endpoint, path }, place);
  const target = filled.replace("?from=x&to=x", () => {
    const since = encodeURIComponent(stage.since);
    return `?from=${since}&to=${since}`;
  });
  const body = accepted[name]?.(stage) ?? bodyFor(endpoint, place);
  return {
    method: endpoint.method.toUpperCase(),
    target,
    body: body as JsonObject | undefined,
    ...(isText && {
      headers: {
        "content-type": "text/plain",
        "content-length": "0",
        "if-match": stage.textMeeting.tag,
      },
    }),
  };
}
