import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

describe("/user/{userId}/account_data/{type}", () => {
  const server = useServer();
  const pathOf = ({ userId }: { userId: string }, type: string) =>
    `/user/${userId}/account_data/${encodeURIComponent(type)}`;
  const inRoom = (user: { userId: string }, roomId: string, type: string) =>
    `/user/${user.userId}/rooms/${encodeURIComponent(roomId)}/account_data/${type}`;
  const createRoom = async (user: TestUser) =>
    (await user.post("/createRoom")).body["room_id"] as string;

  it("keeps content of any shape, and tells syncs of it", async () => {
    const alice = await server.user("alice");
    const since = (await alice.get("/sync")).body["next_batch"];
    const text = String.raw`{"a":[1,{"__proto__":{"b":null}}],"nul":"\u0000","😀":1.5}`;
    const put = await alice.put(pathOf(alice, "org.example.a/b"), text);
    expect(put.status, put.text).to.equal(200);
    const got = await alice.get(pathOf(alice, "org.example.a/b"));
    expect(got.body).to.deep.equal(JSON.parse(text));
    const sync = await alice.get(`/sync?since=${String(since)}`);
    const { events } = sync.body["account_data"] as { events: Json[] };
    const event = events.find(({ type }) => type === "org.example.a/b");
    expect(event?.["content"]).to.deep.equal(JSON.parse(text));
  });

  it("shows the push rules as they are, though none was ever set", async () => {
    const ivy = await server.user("ivy");
    const rules = async () => (await ivy.get("/pushrules/")).body;
    const path = pathOf(ivy, "m.push_rules");
    expect((await ivy.get(path)).body).to.deep.equal(await rules());
    await ivy.put("/pushrules/global/room/!a:test", { actions: [] });
    expect((await ivy.get(path)).body).to.deep.equal(await rules());
  });

  it("wants an id where a room is named", async () => {
    const jane = await server.user("jane");
    const path = inRoom(jane, "nowhere", "m.x");
    for (const answer of [await jane.get(path), await jane.put(path, {})]) {
      expect(answer.status).to.equal(400);
      expect(answer.body["errcode"]).to.equal("M_INVALID_PARAM");
    }
  });

  it("is replaced whole", async () => {
    const bob = await server.user("bob");
    await bob.put(pathOf(bob, "m.x"), { a: 1 });
    await bob.put(pathOf(bob, "m.x"), { b: 2 });
    expect((await bob.get(pathOf(bob, "m.x"))).body).to.deep.equal({ b: 2 });
  });

  it("is kept apart by room, and not for rooms that one was never in", async () => {
    const carol = await server.user("carol");
    const [mine, other] = [await createRoom(carol), await createRoom(carol)];
    await carol.put(inRoom(carol, mine, "m.x"), { room: 1 });
    const got = await carol.get(inRoom(carol, mine, "m.x"));
    expect(got.body).to.deep.equal({ room: 1 });
    for (const path of [inRoom(carol, other, "m.x"), pathOf(carol, "m.x")]) {
      const answer = await carol.get(path);
      expect(answer.body["errcode"]).to.equal("M_NOT_FOUND");
    }
    const dave = await server.user("dave");
    const foreign = await dave.put(inRoom(dave, mine, "m.x"), { room: 1 });
    expect(foreign.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("is nobody else's to see or to set", async () => {
    const [erin, fay] = [await server.user("erin"), await server.user("fay")];
    await erin.put(pathOf(erin, "m.x"), { secret: 1 });
    for (const answer of [
      await fay.get(pathOf(erin, "m.x")),
      await fay.put(pathOf(erin, "m.x"), {}),
    ])
      expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("refuses what the server manages itself, and what is no object", async () => {
    const gus = await server.user("gus");
    for (const type of ["m.push_rules", "m.fully_read"]) {
      const answer = await gus.put(pathOf(gus, type), {});
      expect(answer.status).to.equal(405);
      expect(answer.body["errcode"]).to.equal("M_BAD_JSON");
    }
    for (const body of ["[]", "1", '"x"', "null"]) {
      const answer = await gus.put(pathOf(gus, "m.x"), body);
      expect(answer.status, body).to.equal(400);
      expect(answer.body["errcode"], body).to.equal("M_BAD_JSON");
    }
  });

  it("row 62: refuses more than 64 KiB", async () => {
    const hal = await server.user("hal");
    const fits = { x: "x".repeat(64 * 1024 - 8) };
    expect((await hal.put(pathOf(hal, "m.x"), fits)).status).to.equal(200);
    const over = { x: "x".repeat(64 * 1024 - 7) };
    const refused = await hal.put(pathOf(hal, "m.x"), over);
    expect(refused.body["errcode"]).to.equal("M_TOO_LARGE");
    const type = await hal.put(pathOf(hal, "x".repeat(256)), {});
    expect(type.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  describe("is deleted (MSC3391)", () => {
    const unstable = (target: string) =>
      `/_matrix/client/unstable/org.matrix.msc3391${target}`;

    const eventIn = (
      body: Json,
      roomId: string | undefined,
      type: string,
    ): Json | undefined => {
      const { join } = body["rooms"] as { join: Record<string, Json> };
      const section = roomId === undefined ? body : (join[roomId] ?? {});
      const data = section["account_data"] as { events: Json[] } | undefined;
      return data?.events.find((event) => event["type"] === type);
    };

    for (const [name, isOfRoom, isPut] of [
      ["DELETE", false, false],
      ["DELETE in a room", true, false],
      ["PUT of nothing", false, true],
      ["PUT of nothing in a room", true, true],
    ] as const) {
      it(`by ${name}: syncs are told so once, and it is not there any more`, async () => {
        const user = await server.user(`del${isOfRoom}${isPut}`.toLowerCase());
        const roomId = isOfRoom ? await createRoom(user) : undefined;
        const target =
          roomId === undefined
            ? pathOf(user, "m.x")
            : inRoom(user, roomId, "m.x");
        const remove = () =>
          isPut ? user.put(target, {}) : user.delete(unstable(target));
        expect((await remove()).status).to.equal(200);
        expect((await user.get(target)).status).to.equal(404);
        await user.put(target, { a: 1 });
        const since = String((await user.get("/sync")).body["next_batch"]);
        expect((await remove()).status).to.equal(200);
        const told = await user.get(`/sync?since=${since}`);
        expect(eventIn(told.body, roomId, "m.x")?.["content"]).to.deep.equal(
          {},
        );
        const next = String(told.body["next_batch"]);
        const later = await user.get(`/sync?since=${next}`);
        expect(eventIn(later.body, roomId, "m.x")).to.equal(undefined);
        const first = await user.get("/sync");
        expect(eventIn(first.body, roomId, "m.x")).to.equal(undefined);
        const gone = await user.get(target);
        expect(gone.body["errcode"]).to.equal("M_NOT_FOUND");
        await user.put(target, { b: 2 });
        expect((await user.get(target)).body).to.deep.equal({ b: 2 });
      });
    }

    it("by PUT of nothing where nothing was too: clients wait for the echo", async () => {
      const user = await server.user("echo");
      const since = String((await user.get("/sync")).body["next_batch"]);
      await user.put(pathOf(user, "m.x"), {});
      const told = await user.get(`/sync?since=${since}`);
      expect(eventIn(told.body, undefined, "m.x")?.["content"]).to.deep.equal(
        {},
      );
      expect((await user.get(pathOf(user, "m.x"))).status).to.equal(404);
    });

    it("by its owner alone, and not what the server manages", async () => {
      const alice = await server.user("deleter");
      const bob = await server.user("other");
      await bob.put(pathOf(bob, "m.x"), { a: 1 });
      const others = await alice.delete(unstable(pathOf(bob, "m.x")));
      expect(others.status).to.equal(403);
      const managed = await alice.delete(
        unstable(pathOf(alice, "m.push_rules")),
      );
      expect(managed.status).to.equal(405);
      expect((await bob.get(pathOf(bob, "m.x"))).body).to.deep.equal({ a: 1 });
    });
  });
});
