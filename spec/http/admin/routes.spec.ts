import { expect } from "chai";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { bodyFor, nameOf, pathTo } from "../../security/requests.ts";
import { administrator } from "../../support/administrators.ts";
import { makeRoom } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";

/** Ours, those that tools for Synapse ask, and the specification's own. */
const routes = endpoints.filter(({ auth }) => auth === "admin");

describe("routes of administrators and roles", () => {
  const server = useServer();

  it("sees the routes", () => expect(routes.length).to.be.above(50));

  for (const [roleId, { permissions }] of BUILT_IN_ROLES)
    it(`G2: ${roleId} is let in where its permissions say so, and nowhere else`, async () => {
      const admin = await administrator(server, `a-${roleId}`, roleId);
      const read = await server.user(`t-${roleId}`);
      for (const [i, endpoint] of routes.entries()) {
        const { permission } = endpoint;
        if (permission === undefined) throw new TypeError(nameOf(endpoint));
        // An act has its own target: some of them end it.
        const isRead = endpoint.method === "get";
        const target = isRead ? read : await server.user(`t${i}-${roleId}`);
        const { userId, deviceId } = target;
        const roomId = endpoint.path.includes(":room")
          ? await makeRoom(target)
          : "!absent:test";
        const place = { userId, deviceId, roomId, eventId: "$absent" };
        const all = { ...place, alias: "#absent:test" };
        const answer = await admin.ask(
          endpoint.method.toUpperCase(),
          pathTo(endpoint, all),
          bodyFor(endpoint, all),
        );
        const isRefused =
          answer.status === 403 &&
          answer.body["org.myelin.permission"] === permission &&
          // Rules of roles refuse what they may do otherwise in words of their own.
          answer.body["error"] === "You are not allowed to do this.";
        const label = `${nameOf(endpoint)} ${answer.text}`;
        expect(isRefused, label).to.equal(!permissions.includes(permission));
        expect(answer.status, label).to.be.below(500);
      }
    }).timeout(120_000);
});
