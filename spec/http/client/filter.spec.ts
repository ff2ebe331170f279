import { expect } from "chai";
import type { Sql } from "../../../src/storage/database.ts";
import { storeFilter } from "../../../src/storage/filters.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

describe("/user/{userId}/filter", () => {
  const server = useServer();
  const store = (user: TestUser, filter: Json) =>
    user.post(`/user/${user.userId}/filter`, filter);
  const idOf = async (user: TestUser, filter: Json) => {
    const answer = await store(user, filter);
    expect(answer.status, answer.text).to.equal(200);
    return answer.body["filter_id"] as string;
  };

  it("is kept as it was given, in every process", async () => {
    const alice = await server.user("alice");
    const filter = { room: { timeline: { limit: 7 } }, "org.x": { a: [1] } };
    const id = await idOf(alice, filter);
    expect(id).to.not.match(/^\{/);
    const other = (await server.startProcess()).as(alice);
    const path = `/user/${alice.userId}/filter/${id}`;
    for (const client of [alice, other])
      expect((await client.get(path)).body).to.deep.equal(filter);
  });

  it("shares one id among equal filters of a user", async () => {
    const [bob, carol] = [await server.user("bob"), await server.user("carol")];
    const id = await idOf(bob, { presence: { limit: 1 }, account_data: {} });
    const same = { account_data: {}, presence: { limit: 1 } };
    expect(await idOf(bob, same)).to.equal(id);
    expect(await idOf(bob, {})).to.not.equal(id);
    expect(await idOf(carol, same)).to.not.equal(id);
    const foreign = await carol.get(`/user/${carol.userId}/filter/${id}`);
    expect(foreign.body["errcode"]).to.equal("M_NOT_FOUND");
  });

  it("is nobody else's", async () => {
    const [dave, erin] = [await server.user("dave"), await server.user("erin")];
    const id = await idOf(dave, {});
    const path = `/user/${dave.userId}/filter`;
    for (const answer of [
      await erin.get(`${path}/${id}`),
      await erin.post(path, {}),
    ])
      expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("refuses what is none, and knows no others", async () => {
    const fay = await server.user("fay");
    for (const filter of [
      { room: "x" },
      { room: { timeline: { limit: -1 } } },
      { presence: { types: [1] } },
      { event_format: "other" },
    ]) {
      const answer = await store(fay, filter);
      expect(answer.status, JSON.stringify(filter)).to.equal(400);
    }
    for (const id of ["0", "1", "x", "%00", "99999999999999999999"]) {
      const answer = await fay.get(`/user/${fay.userId}/filter/${id}`);
      expect(answer.status).to.be.oneOf([400, 404]);
    }
  });

  it("row 64: keeps a hundred of a user", async () => {
    const gus = await server.user("gus");
    const ids: string[] = [];
    for (let limit = 1; limit <= 102; limit += 1)
      ids.push(await idOf(gus, { presence: { limit } }));
    const rows = await server.database
      .sql`select from filters where user_id = ${gus.userId}`;
    expect(rows).to.have.length(100);
    const last = await gus.get(`/user/${gus.userId}/filter/${ids.at(-1)}`);
    expect(last.body).to.deep.equal({ presence: { limit: 102 } });
  });

  it("stores what others take away at the same time, and nobody fails for it", async () => {
    const hal = await server.user("hal");
    for (let limit = 1; limit <= 4; limit += 1)
      await idOf(hal, { presence: { limit } });
    const { sql } = server.database;
    const rows = await sql<
      { filterId: number; hash: Buffer; keyId: number; sealed: Buffer }[]
    >`select filter_id, hash, key_id, sealed from filters
      where user_id = ${hal.userId} order by filter_id`;
    const held = rows.map((row) => ({ ...row, userId: hal.userId }));
    const anew = (n: number) => ({
      ...held[0]!,
      filterId: held[0]!.filterId + 1_000_000 + n,
      hash: Buffer.alloc(32, n),
    });
    const open = () => server.database.open({ poolSize: 1 });
    const [first, second] = [open(), open()];
    let behind: Promise<unknown> = Promise.resolve();
    await first.begin(async (tx) => {
      // The first takes the oldest two away while the second stores one of those.
      await storeFilter(tx as unknown as Sql, anew(1), 3);
      behind = second.begin(async (other) => {
        await storeFilter(other as unknown as Sql, held[3]!, 100);
        await storeFilter(other as unknown as Sql, held[0]!, 100);
      });
      for (let count = 0; count === 0;)
        [{ count }] = await sql<[{ count: number }]>`
          select count(*)::int as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
      await storeFilter(tx as unknown as Sql, held[3]!, 100);
    });
    await behind;
  });
});
