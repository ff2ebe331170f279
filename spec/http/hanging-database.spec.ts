import { expect } from "chai";
import type { UserId } from "../../src/core/ids.ts";
import { notePresence } from "../../src/domain/accounts/presence.ts";
import { quiet } from "../support/database.ts";
import { useServer } from "../support/server.ts";
import type { Answer } from "../support/server.ts";

describe("a request that the database did not answer once", () => {
  const server = useServer({}, quiet);

  const whilePresenceHangs = <T>(use: () => Promise<T>) =>
    server.database.sql.begin(async (tx) => {
      await tx`set local idle_in_transaction_session_timeout = 0`;
      await tx`lock table presence in share mode`;
      return use();
    });

  it("waits for no other answer, although its use-case does without the first", async () => {
    const alice = await server.user("alice");
    const answer = (await whilePresenceHangs(() =>
      alice.get("/sync"),
    )) as Answer;
    expect(answer.status, answer.text).to.equal(503);
    expect(answer.body).to.include({ errcode: "M_UNKNOWN" });
    expect((await alice.get("/sync")).status).to.equal(200);
  });

  it("does not go on without presence, to wait for the stream next", async () => {
    const bob = await server.user("bob");
    const device = { ...bob, userId: bob.userId as UserId };
    const noting = await whilePresenceHangs(() =>
      notePresence(server.edges, device, "online").catch(String),
    );
    expect(noting).to.include("StorageUnavailable");
  });
});
