import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("PUT /sendToDevice/{eventType}/{txnId}", () => {
  const server = useServer();
  let txn = 0;

  const send = (
    from: TestUser,
    messages: object,
    txnId: number | string = txn++,
    type = "org.example.test",
  ) => from.put(`/sendToDevice/${type}/${txnId}`, { messages });

  async function received(user: TestUser): Promise<unknown[]> {
    const { body } = await user.get("/sync");
    return (body["to_device"] as { events: unknown[] }).events;
  }

  const fill = (user: TestUser, count: number) => server.database.sql`
    insert into to_device (user_id, device_id, position, ordinal, key_id, sealed)
    select ${user.userId}, ${user.deviceId}, -n, 0, 0, '{}' from generate_series(1, ${count}::int) n`;

  it("says who sent it, whatever the content says", async () => {
    const alice = await server.user("sender");
    const bob = await server.user("receiver");
    const content = { sender: "@forged:test", ["__proto__"]: { a: 1 } };
    await send(alice, { [bob.userId]: { [bob.deviceId]: content } });
    expect(await received(bob)).to.deep.equal([
      { type: "org.example.test", sender: alice.userId, content },
    ]);
  });

  it("drops what is for devices and servers that are not there", async () => {
    const alice = await server.user("drops");
    const { status } = await send(alice, {
      [alice.userId]: { UNKNOWN: {}, "\0": {} },
      "@nobody:test": { "*": {} },
      "@bob:far.example": { X: {} },
      "no user": { X: {} },
    });
    expect(status).to.equal(200);
    const rows = await server.database.sql`
      select from to_device where user_id = ${alice.userId}`;
    expect(rows).to.have.lengthOf(0);
  });

  it("knows a transaction by device and type, in every process", async () => {
    const second = await server.startProcess();
    const alice = await server.user("twice");
    const bob = await server.user("once");
    const to = (n: number) => ({ [bob.userId]: { [bob.deviceId]: { n } } });
    await Promise.all([
      send(alice, to(1), "same"),
      send({ ...alice, ...second.as(alice) }, to(1), "same"),
      send(alice, to(1), "same"),
    ]);
    await send(alice, to(2), "same", "org.example.other");
    const contents = (await received(bob)) as { content: { n: number } }[];
    expect(contents.map(({ content }) => content.n)).to.deep.equal([1, 2]);
  });

  it("row 60: refuses messages for a full inbox, and does not stop others for it", async () => {
    const alice = await server.user("talker");
    const bob = await server.user("sleeper");
    const carol = await server.user("awake");
    await fill(bob, 9_999);
    const toBob = { [bob.userId]: { [bob.deviceId]: {} } };
    expect((await send(alice, toBob)).status).to.equal(200);
    const refused = await send(alice, toBob);
    expect([refused.status, refused.body["errcode"]]).to.deep.equal([
      429,
      "M_LIMIT_EXCEEDED",
    ]);
    const both = { ...toBob, [carol.userId]: { "*": {} } };
    expect((await send(alice, both)).status).to.equal(200);
    expect(await received(carol)).to.have.lengthOf(1);
    const rows = await server.database.sql`
      select from to_device where user_id = ${bob.userId}`;
    expect(rows).to.have.lengthOf(10_000);
  });

  it("row 60: refuses messages for an inbox of 100 MiB", async () => {
    const alice = await server.user("heavy");
    const bob = await server.user("burdened");
    const { sql } = server.database;
    const add = (count: number) => sql`
      insert into to_device (user_id, device_id, position, ordinal, key_id, sealed)
      select ${bob.userId}, ${bob.deviceId}, -n, ${count}, 0, decode(repeat('00', 65536), 'hex')
      from generate_series(1, ${count}::int) n`;
    const toBob = { [bob.userId]: { "*": {} } };
    await add(1599);
    expect((await send(alice, toBob)).status).to.equal(200);
    await add(2);
    expect((await send(alice, toBob)).status).to.equal(429);
  });

  it("refuses a message that is too large, and a body of another form", async () => {
    const alice = await server.user("large");
    const large = { text: "x".repeat(70_000) };
    const own = (content: unknown) => ({ [alice.userId]: { "*": content } });
    expect((await send(alice, own(large))).status).to.equal(413);
    for (const messages of [[], null, { a: [] }, own("text"), own(null)]) {
      const { status } = await send(alice, messages as object);
      expect(status, JSON.stringify(messages)).to.equal(400);
    }
  });
});
