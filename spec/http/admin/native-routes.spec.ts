import { expect } from "chai";
import { endpoints } from "../../../src/http/endpoints.ts";

const ROOT = "/_myelin/admin/v1";

/** What each request of our own API takes, named one by one: what changes in the program changes here. */
const DECLARED: Readonly<Record<string, string>> = {
  "approvals.decide":
    "POST /approvals/:approvalId/approve, POST /approvals/:approvalId/break-glass, POST /approvals/:approvalId/deny",
  "approvals.read": "GET /approvals, GET /approvals/:approvalId",
  "audit.export": "GET /audit/export",
  "audit.read":
    "GET /alerts, GET /alerts/:alertId, GET /audit, GET /audit/checkpoints, GET /audit/key, GET /incidents/:incidentId/blast-radius",
  "audit.review":
    "GET /audit/reviews/due, POST /alerts/:alertId/acknowledge, POST /approvals/:approvalId/review, POST /audit/reviews",
  "events.redact": "POST /users/:userId/redact",
  "federation.read":
    "GET /federation/destinations, GET /federation/destinations/:destination, GET /federation/destinations/:destination/rooms",
  "federation.write":
    "POST /federation/destinations/:destination/reset_connection",
  "groups.read":
    "GET /groups, GET /groups/:groupId/members, GET /rooms/:roomId/attributes, GET /users/:userId/attributes",
  "groups.write":
    "DELETE /groups/:groupId, DELETE /groups/:groupId/members/:userId, POST /groups, POST /users/import/:jobId/groups, PUT /groups/:groupId/members/:userId, PUT /rooms/:roomId/attributes, PUT /users/:userId/attributes",
  "holds.export": "GET /holds/:holdId/data, GET /holds/:holdId/events",
  "holds.read": "GET /holds, GET /holds/:holdId",
  "holds.release": "POST /holds/:holdId/release",
  "holds.write": "POST /holds",
  "incidents.read": "GET /incidents, GET /incidents/:incidentId",
  "incidents.write":
    "POST /incidents, POST /incidents/:incidentId/close, PUT /incidents/:incidentId",
  "jobs.read": "GET /background-jobs/enabled, GET /jobs, GET /jobs/:jobId",
  "jobs.write":
    "DELETE /jobs/:jobId, POST /background-jobs/enabled, POST /background-jobs/start",
  "me.tokens": "DELETE /tokens/:tokenId, GET /tokens, POST /tokens",
  "media.delete":
    "DELETE /media/:serverName/:mediaId, DELETE /users/:userId/media, POST /media/delete, POST /media/purge_cache",
  "media.quarantine":
    "POST /media/:mediaId/protect, POST /media/:mediaId/unprotect, POST /media/:serverName/:mediaId/quarantine, POST /media/:serverName/:mediaId/unquarantine, POST /rooms/:roomId/media/quarantine, POST /users/:userId/media/quarantine",
  "media.read":
    "GET /media/:serverName/:mediaId, GET /media/quarantine_changes, GET /rooms/:roomId/media, GET /users/:userId/media",
  "notices.send":
    "GET /campaigns, GET /campaigns/:campaignId, GET /campaigns/:campaignId/members, POST /campaigns, POST /campaigns/:campaignId/cancel, POST /notices",
  "policies.activate":
    "DELETE /retention/policies/:policyId, POST /policies/:policyId/activate, POST /policies/:policyId/deactivate, POST /policies/:policyId/rollback, POST /retention/policies/:policyId/activate",
  "policies.read":
    "GET /policies, GET /policies/:policyId, GET /policies/:policyId/diff, GET /policies/:policyId/export, GET /policies/:policyId/versions, GET /policies/:policyId/versions/:version, GET /retention/certificates, GET /retention/certificates/:certificateId, GET /retention/policies, GET /retention/policies/:policyId, GET /retention/status",
  "policies.write":
    "POST /policies/simulate, POST /retention/policies/:policyId/dry-run, PUT /policies/:policyId, PUT /retention/policies/:policyId",
  "privacy.consent": "GET /users/:userId/consents",
  "privacy.erase": "DELETE /users/:userId/erasure, POST /users/:userId/erasure",
  "privacy.export": "GET /users/:userId/export",
  "privacy.read":
    "GET /dsr, GET /dsr/:requestId, GET /users/:userId/erasure, GET /users/:userId/erasure/certificate",
  "privacy.rectify":
    "POST /dsr, PUT /dsr/:requestId, PUT /users/:userId/rectification",
  "reports.read":
    "GET /event_reports, GET /event_reports/:reportId, GET /room_reports, GET /user_reports, GET /user_reports/:reportId",
  "reports.write":
    "DELETE /event_reports/:reportId, DELETE /room_reports/:reportId, DELETE /user_reports/:reportId",
  "retention.purge": "POST /rooms/:roomId/purge",
  "roles.grant": "DELETE /role-bindings/:bindingId, POST /role-bindings",
  "roles.read": "GET /permissions, GET /role-bindings, GET /roles",
  "roles.write": "DELETE /roles/:roleId, POST /roles, PUT /roles/:roleId",
  "rooms.block": "GET /rooms/:roomId/block, PUT /rooms/:roomId/block",
  "rooms.content.read":
    "GET /fetch_event/:eventId, GET /rooms/:roomId/context/:eventId, GET /rooms/:roomId/messages, GET /rooms/:roomId/timestamp_to_event",
  "rooms.delete": "DELETE /rooms/:roomId",
  "rooms.members.write": "POST /rooms/:roomIdOrAlias/join",
  "rooms.read":
    "GET /rooms, GET /rooms/:roomId, GET /rooms/:roomId/hierarchy, GET /rooms/:roomId/members, GET /rooms/:roomId/state",
  "rooms.repair":
    "DELETE /rooms/:roomIdOrAlias/forward_extremities, GET /rooms/:roomIdOrAlias/forward_extremities",
  "rooms.takeover": "POST /rooms/:roomIdOrAlias/make_room_admin",
  "server.read": "GET /server-version",
  "settings.read": "GET /egress",
  "stats.read": "GET /statistics/database/rooms, GET /statistics/users/media",
  "tokens.read": "GET /registration-tokens, GET /registration-tokens/:token",
  "tokens.write":
    "DELETE /registration-tokens/:token, POST /registration-tokens, PUT /registration-tokens/:token",
  "users.content.read": "GET /users/:userId/account-data",
  "users.create": "GET /users/import/:jobId, POST /users/import",
  "users.credentials":
    "POST /users/:userId/allow-cross-signing-reset, POST /users/:userId/reset-password",
  "users.deactivate": "POST /users/:userId/deactivate",
  "users.impersonate": "POST /users/:userId/login",
  "users.limits":
    "DELETE /users/:userId/rate-limit, POST /users/:userId/rate-limit",
  "users.lock": "PUT /users/:userId/lock",
  "users.read":
    "GET /look-up/external-ids/:provider/:externalId, GET /look-up/third-party-ids/:medium/:address, GET /look-up/username, GET /users, GET /users/:userId, GET /users/:userId/entered-room-count, GET /users/:userId/lock, GET /users/:userId/memberships, GET /users/:userId/rate-limit, GET /users/:userId/sent-invite-count, GET /users/:userId/suspend",
  "users.sessions.read":
    "GET /users/:userId/devices, GET /users/:userId/devices/:deviceId, GET /users/:userId/pushers, GET /users/:userId/whois, GET /users/:userId/wipes",
  "users.sessions.write":
    "DELETE /users/:userId/devices/:deviceId, POST /incidents/:incidentId/end-sessions, POST /users/:userId/devices, POST /users/:userId/devices/:deviceId/wipe, POST /users/:userId/devices/delete, POST /users/:userId/wipe, PUT /users/:userId/devices/:deviceId",
  "users.suspend":
    "DELETE /users/:userId/shadow-ban, POST /users/:userId/shadow-ban, PUT /users/:userId/suspend",
  "users.write": "PUT /users/:userId",
};

/** Of these, everybody has the use: what it tells is public, or of who asks. */
const FREE: readonly string[] = [
  "DELETE /me/approvals/:approvalId",
  "GET /docs",
  "GET /me/approvals",
  "GET /me/permissions",
  "GET /openapi.json",
  "GET /openapi.yaml",
  "POST /me/approvals/:approvalId/break-glass",
];

describe("permissions of our own admin API", () => {
  const requests = endpoints.flatMap(({ method, path, also = [], ...rest }) =>
    [path, ...also]
      .filter((each) => each.startsWith(`${ROOT}/`))
      .map((each) => ({
        ...rest,
        name: `${method.toUpperCase()} ${each.slice(ROOT.length)}`,
      })),
  );

  it("G2: are the declared ones, request by request", () => {
    const found: Record<string, string[]> = {};
    for (const { name, auth, permission } of requests)
      if (auth === "admin") (found[permission ?? "none"] ??= []).push(name);
    const sorted = Object.entries(found).map(([permission, names]) => [
      permission,
      names.sort().join(", "),
    ]);
    expect(Object.fromEntries(sorted)).to.deep.equal(DECLARED);
  });

  it("G2: are asked for by all but a closed list", () => {
    const free = requests.filter(({ auth }) => auth !== "admin");
    expect(free.map(({ name }) => name).sort()).to.deep.equal(FREE);
  });
});
