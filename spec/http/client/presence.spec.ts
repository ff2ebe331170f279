import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { Json, TestClient, TestUser } from "../../support/server.ts";

const presenceIn = (body: Json): Json[] =>
  (body["presence"] as { events: Json[] } | undefined)?.events ?? [];

describe("/presence/{userId}/status", () => {
  const server = useServer();
  const pathOf = ({ userId }: { userId: string }) =>
    `/presence/${userId}/status`;
  const shareRoom = async (a: TestUser, b: TestUser) => {
    const room = { preset: "public_chat" };
    const { body } = await a.post("/createRoom", room);
    await b.post(`/join/${encodeURIComponent(body["room_id"] as string)}`);
  };
  /** Syncs until this user's presence is told. */
  const waitFor = async (
    client: TestClient,
    since: unknown,
    wanted: (event: Json) => boolean,
  ): Promise<Json> => {
    const { body } = await client.get(
      `/sync?timeout=10000&since=${String(since)}&set_presence=offline`,
    );
    const found = presenceIn(body).find(wanted);
    return found ?? waitFor(client, body["next_batch"], wanted);
  };

  it("is what the user last said", async () => {
    const alice = await server.user("alice");
    const status = { presence: "unavailable", status_msg: "Lunch ✓" };
    expect((await alice.put(pathOf(alice), status)).status).to.equal(200);
    const got = await alice.get(pathOf(alice));
    expect(got.body).to.include({ ...status, currently_active: false });
    await alice.put(pathOf(alice), { presence: "online" });
    const now = await alice.get(pathOf(alice));
    expect(now.body).to.include({ presence: "online" });
    expect(now.body).to.not.have.property("status_msg");
  });

  it("is told to those who share a room, in another process too", async () => {
    const [bob, carol] = [await server.user("bob"), await server.user("carol")];
    await shareRoom(bob, carol);
    const there = (await server.startProcess()).as(carol);
    const first = await there.get("/sync?set_presence=offline");
    const poll = waitFor(
      there,
      first.body["next_batch"],
      (event) =>
        event["sender"] === bob.userId &&
        (event["content"] as Json)["presence"] === "unavailable",
    );
    const status = { presence: "unavailable", status_msg: "Away" };
    await bob.put(pathOf(bob), status);
    expect(((await poll)["content"] as Json)["status_msg"]).to.equal("Away");
  });

  it("tells names and avatars that change to those who share a room", async () => {
    const [ned, ola] = [await server.user("ned"), await server.user("ola")];
    await shareRoom(ned, ola);
    await ned.put(pathOf(ned), { presence: "unavailable" });
    const { body } = await ola.get("/sync?set_presence=offline");
    const isNed = ({ sender }: Json) => sender === ned.userId;
    const tell = async (since: unknown, name: string, value: string | null) => {
      const poll = waitFor(ola, since, isNed);
      await ned.put(`/profile/${ned.userId}/${name}`, { [name]: value });
      return (await poll)["content"] as Json;
    };
    const renamed = await tell(body["next_batch"], "displayname", "Ned N.");
    expect(renamed).to.include({
      presence: "unavailable",
      displayname: "Ned N.",
    });
    const { body: now } = await ola.get("/sync?set_presence=offline");
    const avatar_url = "mxc://test/ned";
    const shown = await tell(now["next_batch"], "avatar_url", avatar_url);
    expect(shown).to.include({ displayname: "Ned N.", avatar_url });
  });

  it("is told to nobody else", async () => {
    const [dave, erin] = [await server.user("dave"), await server.user("erin")];
    await dave.put(pathOf(dave), { presence: "online" });
    const asked = await erin.get(pathOf(dave));
    expect(asked.status).to.equal(403);
    const sync = await erin.get("/sync");
    const senders = presenceIn(sync.body).map(({ sender }) => sender);
    expect(senders).to.not.include(dave.userId);
    const set = await erin.put(pathOf(dave), { presence: "offline" });
    expect(set.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("is online while the user syncs, as the client wishes, and offline after a while", async () => {
    const fay = await server.user("fay");
    await fay.get("/sync?set_presence=offline");
    const before = await fay.get(pathOf(fay));
    expect(before.body["presence"]).to.equal("offline");
    await fay.get("/sync?set_presence=unavailable");
    const idle = await fay.get(pathOf(fay));
    expect(idle.body["presence"]).to.equal("unavailable");
    await fay.get("/sync");
    const online = await fay.get(pathOf(fay));
    expect(online.body).to.include({
      presence: "online",
      currently_active: true,
    });
    await server.database.sql`
      update presence set last_active_ts = last_active_ts - 200000 where user_id = ${fay.userId}`;
    const gone = await fay.get(pathOf(fay));
    expect(gone.body["presence"]).to.equal("offline");
    expect(gone.body["last_active_ago"]).to.be.above(199_999);
  });

  it("does not keep a client from syncing where it cannot be stored", async () => {
    const uriel = await server.user("uriel");
    const { sql } = server.database;
    await sql`alter table presence add constraint full_disk check (false) not valid`;
    const { status } = await uriel.get("/sync?timeout=0");
    await sql`alter table presence drop constraint full_disk`;
    expect(status).to.equal(200);
  });

  it("is what the device in use says, whatever idle ones say by whichever process", async () => {
    const hal = await server.user("hal");
    const login = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: hal.userId },
      password: hal.password,
    });
    const process = await server.startProcess();
    const inUse = hal;
    const idle = process.as({
      accessToken: String(login.body["access_token"]),
    });
    const syncAs = (client: TestClient, state: string) =>
      client.get(`/sync?set_presence=${state}`);
    const stateOf = async () =>
      (await hal.get(pathOf(hal))).body["presence"] as string;
    await syncAs(inUse, "online");
    await syncAs(idle, "unavailable");
    expect(await stateOf()).to.equal("online");
    await syncAs(inUse, "unavailable");
    expect(await stateOf()).to.equal("unavailable");
    await syncAs(idle, "online");
    expect(await stateOf()).to.equal("online");
    await syncAs(inUse, "unavailable");
    expect(await stateOf()).to.equal("online");
    await hal.put(pathOf(hal), { presence: "unavailable" });
    await syncAs(idle, "online");
    expect(await stateOf()).to.equal("online");
  });

  it("refuses a state that there is not", async () => {
    const gus = await server.user("gus");
    const answer = await gus.put(pathOf(gus), { presence: "busy" });
    expect(answer.status).to.equal(400);
    const sync = await gus.get("/sync?set_presence=busy");
    expect(sync.status).to.equal(400);
  });
});

describe("presence that is switched off", () => {
  const server = useServer({ "presence.enabled": false });

  it("says offline of everybody and keeps nothing", async () => {
    const alice = await server.user("alice");
    const path = `/presence/${alice.userId}/status`;
    const put = await alice.put(path, { presence: "online" });
    expect(put.status).to.equal(200);
    await alice.get("/sync");
    expect((await alice.get(path)).body).to.deep.equal({ presence: "offline" });
    const rows = await server.database.sql`select from presence`;
    expect(rows).to.have.length(0);
  });
});
