import { expect } from "chai";
import type { Log } from "../../../src/edges.ts";
import { quiet } from "../../support/database.ts";
import { makeRoom, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";

describe("an event whose skeleton is damaged in the database", () => {
  const logged: string[] = [];
  const log: Log = {
    ...quiet,
    error: (details) => void logged.push(JSON.stringify(details)),
  };
  const server = useServer({}, log);

  for (const skeleton of ["no json", '{"content":{}', '"text"', "{}"]) {
    it(`is the server's fault, and the client is told no more: ${skeleton}`, async () => {
      const alice = await server.user(`alice${logged.length}`);
      const roomId = await makeRoom(alice);
      const eventId = await say(alice, roomId, "fragile");
      await server.database
        .sql`update events set skeleton = ${skeleton} where event_id = ${eventId}`;
      const other = (await server.startProcess()).as(alice);
      for (const target of [
        path`/rooms/${roomId}/event/${eventId}`,
        path`/rooms/${roomId}/messages` + "?dir=b",
        path`/rooms/${roomId}/context/${eventId}`,
      ]) {
        const answer = await other.get(target);
        expect(answer.status, target).to.equal(500);
        expect(answer.body).to.deep.equal({
          errcode: "M_UNKNOWN",
          error: "Internal server error.",
        });
      }
      expect(logged.at(-1)).to.include("is damaged");
    });
  }
});
