import { expect } from "chai";
import { quiet } from "../support/database.ts";
import { useServer } from "../support/server.ts";

describe("a request that the database did not answer once", () => {
  const server = useServer({}, quiet);

  it("waits for no other answer, although its use-case does without the first", async () => {
    const alice = await server.user("alice");
    const answer = await server.database.sql.begin(async (tx) => {
      await tx`set local idle_in_transaction_session_timeout = 0`;
      await tx`lock table presence in share mode`;
      return alice.get("/sync");
    });
    expect(answer.status, answer.text).to.equal(503);
    expect(answer.body).to.include({ errcode: "M_UNKNOWN" });
    expect((await alice.get("/sync")).status).to.equal(200);
  });
});
