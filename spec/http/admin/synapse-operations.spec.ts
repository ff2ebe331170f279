import { expect } from "chai";
import { pathsOf } from "../../../src/http/compile.ts";
import { endpoints } from "../../../src/http/endpoints.ts";

/**
 * All operations of Synapse's admin API, each by the permission that it takes here. The
 * registration by a shared secret asks for the secret.
 */
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  "server.read": ["GET v1/server_version"],
  "jobs.read": [
    "GET v1/background_updates/status",
    "GET v1/background_updates/enabled",
    "GET v1/scheduled_tasks",
    "GET v1/user/redact_status/{id}",
    "GET v2/rooms/{r}/delete_status",
    "GET v2/rooms/delete_status/{id}",
    "GET v1/purge_history_status/{id}",
  ],
  "jobs.write": [
    "POST v1/background_updates/enabled",
    "POST v1/background_updates/start_job",
  ],
  "stats.read": [
    "GET v1/statistics/users/media",
    "GET v1/statistics/database/rooms",
  ],
  anybody: ["GET v1/register", "POST v1/register"],
  "users.read": [
    "GET v2/users",
    "GET v3/users",
    "GET v2/users/{u}",
    "GET v1/username_available",
    "GET v1/search_users/{u}",
    "GET v1/threepid/{medium}/users/{addr}",
    "GET v1/auth_providers/{p}/users/{ext}",
    "GET v1/users/{u}/override_ratelimit",
    "GET v1/users/{u}/joined_rooms",
    "GET v1/users/{u}/memberships",
    "GET v1/users/{u}/sent_invite_count",
    "GET v1/users/{u}/cumulative_joined_room_count",
    "GET v1/experimental_features/{u}",
  ],
  "users.write": [
    "PUT v2/users/{u}",
    "POST v1/account_validity/validity",
    "PUT v1/experimental_features/{u}",
  ],
  "users.sessions.read": [
    "GET v1/whois/{u}",
    "GET v1/users/{u}/pushers",
    "GET v2/users/{u}/devices",
    "GET v2/users/{u}/devices/{d}",
  ],
  "roles.read": ["GET v1/users/{u}/admin"],
  "roles.grant": ["PUT v1/users/{u}/admin"],
  "users.credentials": [
    "POST v1/reset_password/{u}",
    "POST v1/users/{u}/_allow_cross_signing_replacement_without_uia",
  ],
  "users.deactivate": ["POST v1/deactivate/{u}"],
  "users.suspend": [
    "PUT v1/suspend/{u}",
    "POST v1/users/{u}/shadow_ban",
    "DELETE v1/users/{u}/shadow_ban",
  ],
  "users.impersonate": ["POST v1/users/{u}/login"],
  "users.limits": [
    "POST v1/users/{u}/override_ratelimit",
    "DELETE v1/users/{u}/override_ratelimit",
  ],
  "users.content.read": ["GET v1/users/{u}/accountdata"],
  "media.read": [
    "GET v1/users/{u}/media",
    "GET v1/room/{r}/media",
    "GET v1/media/quarantine_changes",
    "GET v1/media/{s}/{m}",
  ],
  "media.delete": [
    "DELETE v1/users/{u}/media",
    "DELETE v1/media/{s}/{m}",
    "POST v1/media/delete",
    "POST v1/media/{s}/delete",
    "POST v1/purge_media_cache",
  ],
  "events.redact": ["POST v1/user/{u}/redact"],
  "users.sessions.write": [
    "POST v2/users/{u}/devices",
    "PUT v2/users/{u}/devices/{d}",
    "DELETE v2/users/{u}/devices/{d}",
    "POST v2/users/{u}/delete_devices",
  ],
  "rooms.read": [
    "GET v1/rooms",
    "GET v1/rooms/{r}",
    "GET v1/rooms/{r}/members",
    "GET v1/rooms/{r}/state",
    "GET v1/rooms/{r}/hierarchy",
  ],
  "rooms.content.read": [
    "GET v1/rooms/{r}/messages",
    "GET v1/rooms/{r}/context/{e}",
    "GET v1/rooms/{r}/timestamp_to_event",
    "GET v1/fetch_event/{e}",
  ],
  "rooms.block": ["GET v1/rooms/{r}/block", "PUT v1/rooms/{r}/block"],
  "rooms.delete": ["DELETE v1/rooms/{r}", "DELETE v2/rooms/{r}"],
  "rooms.members.write": ["POST v1/join/{r_or_alias}"],
  "rooms.takeover": ["POST v1/rooms/{r_or_alias}/make_room_admin"],
  "rooms.repair": [
    "GET v1/rooms/{r_or_alias}/forward_extremities",
    "DELETE v1/rooms/{r_or_alias}/forward_extremities",
  ],
  "retention.purge": ["POST v1/purge_history/{r}"],
  "media.quarantine": [
    "POST v1/room/{r}/media/quarantine",
    "POST v1/quarantine_media/{r}",
    "POST v1/user/{u}/media/quarantine",
    "POST v1/media/quarantine/{s}/{m}",
    "POST v1/media/unquarantine/{s}/{m}",
    "POST v1/media/protect/{m}",
    "POST v1/media/unprotect/{m}",
  ],
  "reports.read": [
    "GET v1/event_reports",
    "GET v1/event_reports/{id}",
    "GET v1/user_reports",
    "GET v1/user_reports/{id}",
  ],
  "reports.write": [
    "DELETE v1/event_reports/{id}",
    "DELETE v1/user_reports/{id}",
  ],
  "tokens.read": [
    "GET v1/registration_tokens",
    "GET v1/registration_tokens/{t}",
  ],
  "tokens.write": [
    "POST v1/registration_tokens/new",
    "PUT v1/registration_tokens/{t}",
    "DELETE v1/registration_tokens/{t}",
  ],
  "notices.send": [
    "POST v1/send_server_notice",
    "PUT v1/send_server_notice/{txn}",
  ],
  "federation.read": [
    "GET v1/federation/destinations",
    "GET v1/federation/destinations/{d}",
    "GET v1/federation/destinations/{d}/rooms",
  ],
  "federation.write": ["POST v1/federation/destinations/{d}/reset_connection"],
};

const all = Object.entries(OPERATIONS).flatMap(([permission, operations]) =>
  operations.map((operation) => ({ permission, operation })),
);

/** The names of parameters differ. */
const shapeOf = (method: string, path: string): string =>
  `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}|:[A-Za-z]+/g, "{}")}`;

const served = new Map(
  endpoints.flatMap((endpoint) =>
    pathsOf(endpoint).map((path) => [
      shapeOf(endpoint.method, path),
      endpoint.permission ?? "anybody",
    ]),
  ),
);

describe("the operations of Synapse's admin API", () => {
  it("are all of them", () => {
    expect(all).to.have.length(102);
    expect(new Set(all.map(({ operation }) => operation)).size).to.equal(102);
  });

  for (const { permission, operation } of all) {
    const [method = "", path = ""] = operation.split(" ");
    it(`${operation} is served, for ${permission}`, () => {
      const shape = shapeOf(method, `/_synapse/admin/${path}`);
      expect(served.get(shape), shape).to.equal(permission);
    });
  }

  it("has nothing there that a tool does not know", () => {
    const known = new Set(
      all.map(({ operation }) => {
        const [method = "", path = ""] = operation.split(" ");
        return shapeOf(method, `/_synapse/admin/${path}`);
      }),
    );
    const others = [...served.keys()].filter(
      (shape) => shape.includes(" /_synapse/") && !known.has(shape),
    );
    // Purging up to an event that the path names is the other form of one of them.
    expect(others).to.deep.equal([
      "POST /_synapse/admin/v1/purge_history/{}/{}",
    ]);
  });
});
