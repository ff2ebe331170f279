import { expect } from "chai";
import {
  factsOf,
  type Permission,
} from "../../../src/domain/admin/permissions.ts";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";
import { pathsOf } from "../../../src/http/compile.ts";
import { roomEndpoints } from "../../../src/http/admin/room-endpoints.ts";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import {
  bodyFor,
  nameOf,
  pathTo,
  type Place,
} from "../../security/requests.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { makeRoom, say } from "../../support/rooms.ts";
import { type Answer, type TestUser, useServer } from "../../support/server.ts";

/** What each route is declared to need: what changes in the program changes here. */
const DECLARED: Readonly<Record<string, string>> = {
  "rooms.read":
    "GET rooms, GET own rooms, GET rooms/:roomId, GET rooms/:roomId/members, GET own rooms/:roomId/members, GET rooms/:roomId/state, GET rooms/:roomId/hierarchy",
  "rooms.content.read":
    "GET rooms/:roomId/messages, GET rooms/:roomId/context/:eventId, GET rooms/:roomId/timestamp_to_event, GET fetch_event/:eventId",
  "rooms.block": "GET rooms/:roomId/block, PUT rooms/:roomId/block",
  "rooms.delete": "DELETE rooms/:roomId, DELETE v2 rooms/:roomId",
  "jobs.read":
    "GET v2 rooms/:roomId/delete_status, GET v2 rooms/delete_status/:jobId, GET purge_history_status/:jobId, GET user/redact_status/:jobId, GET own jobs, GET own jobs/:jobId",
  "jobs.write": "DELETE own jobs/:jobId",
  "rooms.members.write": "POST join/:roomIdOrAlias",
  "rooms.takeover": "POST rooms/:roomIdOrAlias/make_room_admin",
  "rooms.repair":
    "GET rooms/:roomIdOrAlias/forward_extremities, GET own rooms/:roomIdOrAlias/forward_extremities, DELETE rooms/:roomIdOrAlias/forward_extremities",
  "retention.purge": "POST purge_history/:roomId/:eventId",
  "events.redact": "POST user/:userId/redact",
  "media.read":
    "GET room/:roomId/media, GET own rooms/:roomId/media, GET media/quarantine_changes, GET own media/quarantine_changes, GET media/:serverName/:mediaId, GET users/:userId/media, GET own users/:userId/media",
  "media.quarantine":
    "POST room/:roomId/media/quarantine, POST user/:userId/media/quarantine, POST media/quarantine/:serverName/:mediaId, POST media/unquarantine/:serverName/:mediaId, POST media/protect/:mediaId, POST media/unprotect/:mediaId",
  "media.delete":
    "DELETE media/:serverName/:mediaId, POST media/:serverName/delete, POST purge_media_cache, DELETE users/:userId/media, DELETE own users/:userId/media",
  "reports.read":
    "GET event_reports, GET own event_reports, GET event_reports/:reportId, GET user_reports, GET own user_reports, GET user_reports/:reportId, GET own room_reports",
  "reports.write":
    "DELETE event_reports/:reportId, DELETE user_reports/:reportId, DELETE own room_reports/:reportId",
};

const shortOf = (endpoint: Endpoint): string =>
  nameOf(endpoint)
    .replace("/_synapse/admin/v1/", "")
    .replace("/_myelin/admin/v1/", "own ")
    .replace("/_synapse/admin/v2/", "v2 ");

describe("the routes of administrators to rooms and media", () => {
  const server = useServer();
  let owner: TestUser;

  before(async () => {
    owner = await server.user("owner-of-rooms");
  });

  const nowhere: Place = {
    roomId: "!absent:test",
    eventId: "$absent",
    userId: "@absent:test",
    deviceId: "D",
    alias: "#absent:test",
  };
  const ask = (user: TestUser, endpoint: Endpoint, place: Place) =>
    user.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, place),
      bodyFor(endpoint, place),
    );
  const isRefused = ({ status, body }: Answer) =>
    status === 403 && body["org.myelin.permission"] !== undefined;

  it("need what is declared", () => {
    const found: Record<string, string[]> = {};
    for (const endpoint of roomEndpoints)
      (found[endpoint.permission ?? ""] ??= []).push(shortOf(endpoint));
    const declared = Object.fromEntries(
      Object.entries(DECLARED).map(([name, list]) => [name, list.split(", ")]),
    );
    expect(found).to.deep.equal(declared);
  });

  it("ask for no other permission by another of their paths", () => {
    const all = endpoints.filter(({ auth }) => auth === "admin");
    expect(all.length).to.be.above(60);
    const paths = all.flatMap((each) =>
      pathsOf(each).map((path) => `${each.method} ${path}`),
    );
    expect(new Set(paths).size).to.equal(paths.length);
  });

  for (const [roleId, { permissions }] of BUILT_IN_ROLES)
    it(`G2: let ${roleId} do what the role holds, and refuse all else`, async () => {
      const user = await administrator(server, `every-${roleId}`, roleId);
      for (const endpoint of roomEndpoints) {
        const may = permissions.includes(endpoint.permission as Permission);
        const answer = await ask(user, endpoint, nowhere);
        const label = `${nameOf(endpoint)}: ${answer.text}`;
        expect(isRefused(answer), label).to.equal(!may);
      }
    }).timeout(60_000);

  it("G2: let a moderator of a room do nothing in another one, nor for the server", async () => {
    const [own, other] = [await makeRoom(owner), await makeRoom(owner)];
    const user = await server.user("moderator-of-one");
    await bindRole(server, user.userId, "room-moderator", {
      scopeKind: "room",
      scopeId: own,
    });
    const { permissions } = BUILT_IN_ROLES.get("room-moderator")!;
    const placeOf = async (roomId: string): Promise<Place> => ({
      ...nowhere,
      roomId,
      eventId: await say(owner, roomId, "x"),
    });
    const [here, there] = [await placeOf(own), await placeOf(other)];
    for (const endpoint of roomEndpoints) {
      const { permission, path } = endpoint;
      const isOfRoom = /:roomId/.test(path);
      const may =
        isOfRoom &&
        permissions.includes(permission as Permission) &&
        factsOf(permission as Permission).on === "room";
      const inside = await ask(user, endpoint, here);
      expect(isRefused(inside), `${nameOf(endpoint)} ${inside.text}`).to.equal(
        !may,
      );
      const outside = await ask(user, endpoint, there);
      expect(isRefused(outside), nameOf(endpoint)).to.equal(true);
    }
  }).timeout(60_000);
});
