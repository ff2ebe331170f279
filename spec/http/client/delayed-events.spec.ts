import { expect } from "chai";
import {
  sendDueEvents,
  startDelayedEvents,
} from "../../../src/domain/jobs/send-delayed-events.ts";
import { forgetDelayedEvents } from "../../../src/domain/jobs/forget-delayed-events.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import {
  act,
  bodiesOf,
  getMessages,
  makePublicRoom,
  makeRoom,
  must,
  path,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Answer, Json, TestUser } from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";

const BASE = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";

interface Delayed {
  delay_id: string;
  room_id: string;
  type: string;
  state_key?: string;
  delay: number;
  running_since: number;
  content: Json;
  event_id?: string;
  error?: Json;
  origin_server_ts?: number;
}

describe("delayed events", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let count = 0;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const sendLater = (
    user: TestUser,
    roomId: string,
    body: string,
    delay: number | string = 3_600_000,
    txnId = `d${count++}`,
  ): Promise<Answer> =>
    user.put(
      `${path`/rooms/${roomId}/send/m.room.message/${txnId}`}?org.matrix.msc4140.delay=${delay}`,
      { msgtype: "m.text", body },
    );

  const setLater = (
    user: TestUser,
    roomId: string,
    content: Json,
    type = "m.x",
  ): Promise<Answer> =>
    user.put(
      `${path`/rooms/${roomId}/state/${type}/key`}?org.matrix.msc4140.delay=3600000`,
      content,
    );

  const idOf = (answer: Answer): string =>
    must<{ delay_id: string }>(answer).delay_id;

  const manage = (delayId: string, action: string): Promise<Answer> =>
    server.post(`${BASE}${path`/${delayId}/`}${action}`);

  const list = async (user: TestUser, status = ""): Promise<Delayed[]> =>
    must<{ delayed_events: Delayed[] }>(await user.get(`${BASE}${status}`))
      .delayed_events;

  /** As if the time of all that waits had come. */
  const makeDue = async (): Promise<void> => {
    await server.database
      .sql`update delayed_events set send_ts = running_since where finalised_ts is null`;
  };

  const endClaims = async (): Promise<void> => {
    await server.database
      .sql`update delayed_events set claimed_until = 0 where finalised_ts is null`;
  };

  const said = async (roomId: string): Promise<unknown[]> =>
    bodiesOf((await getMessages(alice, roomId, { dir: "f", limit: 50 })).chunk);

  const expectError = (answer: Answer, status: number, errcode: string) => {
    expect(answer.status, answer.text).to.equal(status);
    expect(answer.body["errcode"]).to.equal(errcode);
  };

  it("are listed while they wait, to their owner alone, and sent when their time has come", async () => {
    const user = await server.user("owner");
    const roomId = await makePublicRoom(alice);
    await act(user, roomId, "join");
    const message = idOf(await sendLater(user, roomId, "later"));
    const state = idOf(await setLater(user, roomId, { a: 1 }));
    const waiting = await list(user);
    expect(waiting.map((event) => event.delay_id)).to.have.members([
      message,
      state,
    ]);
    const [first] = waiting;
    expect(first).to.include({
      room_id: roomId,
      type: "m.room.message",
      delay: 3_600_000,
    });
    expect(first?.content).to.deep.equal({ msgtype: "m.text", body: "later" });
    expect(first?.running_since).to.be.closeTo(Date.now(), 60_000);
    expect(first).not.to.have.any.keys("state_key", "event_id", "error");
    expect(await list(bob)).to.deep.equal([]);
    const one = `${BASE}${path`/${message}`}`;
    expect(must(await user.get(one))).to.deep.equal(first);
    expectError(await bob.get(one), 404, "M_NOT_FOUND");
    expect(await said(roomId)).to.deep.equal([]);
    expect(await sendDueEvents(server.edges)).to.equal(0);
    await makeDue();
    await sendDueEvents(server.edges);
    expect(await list(user)).to.deep.equal([]);
    expect(await said(roomId)).to.deep.equal(["later"]);
    const target = path`/rooms/${roomId}/state/m.x/key`;
    // The guest may not set state: that is why it was not.
    expectError(await alice.get(target), 404, "M_NOT_FOUND");
    const ended = await list(user, "?status=finalised");
    const byId = new Map(ended.map((event) => [event.delay_id, event]));
    expect(byId.get(message)?.event_id).to.match(/^\$/);
    expect(byId.get(message)?.origin_server_ts).to.be.a("number");
    expect(byId.get(state)?.error).to.include({ errcode: "M_FORBIDDEN" });
  });

  it("are sent as their sender's, who alone is told the delay id", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const readers = [new SyncReader(alice), new SyncReader(bob)];
    for (const reader of readers) await reader.next();
    const delayId = idOf(await sendLater(alice, roomId, "later"));
    await makeDue();
    await sendDueEvents(server.edges);
    const [own, others] = await Promise.all(
      readers.map(async (reader) => {
        const { rooms } = await reader.next();
        return rooms.join[roomId]!.timeline.events[0]!;
      }),
    );
    expect(own?.sender).to.equal(alice.userId);
    expect(own?.unsigned).to.include({
      "org.matrix.msc4140.delay_id": delayId,
    });
    expect(others?.unsigned).not.to.have.any.keys(
      "org.matrix.msc4140.delay_id",
      "transaction_id",
    );
  });

  it("answer the same to the same transaction", async () => {
    const roomId = await makeRoom(alice);
    const first = await sendLater(alice, roomId, "once", 60_000, "same");
    const second = await sendLater(alice, roomId, "once", 60_000, "same");
    expect(idOf(second)).to.equal(idOf(first));
    const together = await Promise.all(
      Array.from({ length: 5 }, () =>
        sendLater(alice, roomId, "twins", 60_000, "twins"),
      ),
    );
    expect(new Set(together.map(idOf)).size).to.equal(1);
    await makeDue();
    await sendDueEvents(server.edges);
    expect(await said(roomId)).to.have.members(["once", "twins"]);
    const later = await sendLater(alice, roomId, "once", 60_000, "same");
    expect(idOf(later)).to.equal(idOf(first));
  });

  it("are cancelled, restarted and sent at once by whoever knows the id", async () => {
    const roomId = await makeRoom(alice);
    const cancelled = idOf(await sendLater(alice, roomId, "cancelled"));
    const restarted = idOf(await setLater(alice, roomId, { restarted: true }));
    const sent = idOf(await sendLater(alice, roomId, "sent"));
    must(await manage(cancelled, "cancel"));
    must(await manage(sent, "send"));
    expect(await said(roomId)).to.deep.equal(["sent"]);
    await makeDue();
    must(await manage(restarted, "restart"));
    await sendDueEvents(server.edges);
    expect((await list(alice)).map((each) => each.delay_id)).to.deep.equal([
      restarted,
    ]);
    // Who asks again is answered alike; who asks for the opposite is told.
    must(await manage(cancelled, "cancel"));
    must(await manage(sent, "send"));
    for (const [delayId, action] of [
      [cancelled, "send"],
      [cancelled, "restart"],
      [sent, "cancel"],
      [sent, "restart"],
    ] as const)
      expectError(await manage(delayId, action), 409, "M_UNKNOWN");
    const old = `${BASE}${path`/${restarted}`}`;
    must(await server.post(old, { action: "cancel" }));
    expectError(await server.post(old, {}), 400, "M_MISSING_PARAM");
    expectError(
      await server.post(old, { action: "oops" }),
      400,
      "M_INVALID_PARAM",
    );
    expectError(await manage(restarted, "oops"), 400, "M_INVALID_PARAM");
    for (const action of ["cancel", "restart", "send"])
      expectError(await manage("absent", action), 404, "M_NOT_FOUND");
    expectError(await server.get(BASE), 401, "M_MISSING_TOKEN");
  });

  it("are sent once, whoever sends them and whenever a process dies at it", async () => {
    const roomId = await makeRoom(alice);
    const other = await server.startProcess();
    for (let i = 0; i < 20; i += 1)
      idOf(await sendLater(alice, roomId, `${i}`));
    await makeDue();
    // The first process claims them and is gone before it has noted what it sent.
    const { edges } = server;
    const dying = {
      ...edges,
      db: new Proxy(edges.db, {
        apply(target, self, given: unknown[]) {
          const [texts] = given as [readonly string[]];
          const isNote =
            Array.isArray(texts) && texts.join("").includes("set finalised_ts");
          if (isNote) throw new TypeError("The process is gone.");
          return Reflect.apply(target, self, given) as unknown;
        },
      }),
    };
    expect(await sendDueEvents(dying)).to.equal(20);
    expect(await sendDueEvents(other.edges)).to.equal(0);
    await endClaims();
    const taken = await Promise.all([
      sendDueEvents(other.edges),
      sendDueEvents(server.edges),
    ]);
    expect(taken[0] + taken[1]).to.equal(20);
    const bodies = await said(roomId);
    expect(bodies).to.have.length(20);
    expect(new Set(bodies).size).to.equal(20);
    expect(await list(alice)).to.deep.equal([]);
  });

  it("are sent or cancelled, and never both", async () => {
    const roomId = await makeRoom(alice);
    const ids: string[] = [];
    for (let i = 0; i < 20; i += 1)
      ids.push(idOf(await sendLater(alice, roomId, `${i}`)));
    await makeDue();
    const [, ...answers] = await Promise.all([
      sendDueEvents(server.edges),
      ...ids.map((delayId) => manage(delayId, "cancel")),
    ]);
    const cancelled = answers.filter(({ status }) => status === 200).length;
    expect((await said(roomId)).length).to.equal(20 - cancelled);
    const ended = await list(alice, "?status=finalised");
    const ours = ended.filter((event) => event.room_id === roomId);
    expect(ours).to.have.length(20);
    const sent = ours.filter((event) => event.event_id !== undefined);
    expect(sent).to.have.length(20 - cancelled);
  });

  it("are sent on time by the process that was told of them, and by any other after a restart", async () => {
    const roomId = await makeRoom(alice);
    const reader = new SyncReader(alice);
    await reader.next();
    const sending = startDelayedEvents(() => server.edges);
    try {
      idOf(await sendLater(alice, roomId, "soon", 50));
      await reader.until(({ rooms }) => rooms.join[roomId] !== undefined);
    } finally {
      await sending.stop();
    }
    idOf(await sendLater(alice, roomId, "after a restart", 1));
    const edges = { ...server.edges, memory: new ProcessMemory() };
    const restarted = startDelayedEvents(() => edges);
    try {
      await reader.until(({ rooms }) => rooms.join[roomId] !== undefined);
    } finally {
      await restarted.stop();
    }
    expect(await said(roomId)).to.deep.equal(["soon", "after a restart"]);
  });

  it("are no more than 100 of a user, wait no longer than a day, and are no larger than events are", async () => {
    const user = await server.user("busy");
    const roomId = await makeRoom(user);
    for (let i = 0; i < 100; i += 1)
      idOf(await sendLater(user, roomId, `${i}`));
    const answer = await sendLater(user, roomId, "too many");
    expectError(answer, 429, "M_LIMIT_EXCEEDED");
    expect(answer.body["retry_after_ms"]).to.be.within(1, 3_600_000);
    const tooLate = await sendLater(alice, roomId, "x", 86_400_001);
    expectError(tooLate, 400, "M_UNKNOWN");
    expect(tooLate.body).to.include({
      "org.matrix.msc4140.errcode": "M_MAX_DELAY_EXCEEDED",
      "org.matrix.msc4140.max_delay": 86_400_000,
    });
    for (const delay of ["0", "-1", "x", "1.5"])
      expectError(
        await sendLater(alice, roomId, "x", delay),
        400,
        "M_INVALID_PARAM",
      );
    const large = await setLater(alice, roomId, { a: "x".repeat(70_000) });
    expectError(large, 413, "M_TOO_LARGE");
  });

  it("are refused outside of one's rooms, and not sent for who has left or is gone", async () => {
    const user = await server.user("leaver");
    const roomId = await makePublicRoom(alice);
    expectError(await sendLater(user, roomId, "x"), 403, "M_FORBIDDEN");
    await act(user, roomId, "join");
    const delayId = idOf(await sendLater(user, roomId, "x"));
    await act(user, roomId, "leave");
    expectError(await manage(delayId, "send"), 403, "M_FORBIDDEN");
    expect(await list(user)).to.have.length(1);
    await act(user, roomId, "join");
    must(await manage(delayId, "send"));
    idOf(await sendLater(user, roomId, "of who is gone"));
    const auth = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: user.userId },
      password: user.password,
    };
    must(await user.post("/account/deactivate", { auth }));
    const rows = await server.database
      .sql`select from delayed_events where user_id = ${user.userId}`;
    expect(rows).to.have.length(0);
    expect(await said(roomId)).to.deep.equal(["x"]);
  });

  it("keep their content sealed, and redact what they are told to", async () => {
    const roomId = await makeRoom(alice);
    const eventId = await setState(alice, roomId, "m.y", { secret: "pear" });
    idOf(await setLater(alice, roomId, { secret: "a hidden pear" }));
    const rows = await server.database.sql<{ sealed: Uint8Array }[]>`
      select sealed from delayed_events where room_id = ${roomId}`;
    expect(Buffer.from(rows[0]!.sealed).toString()).not.to.include("pear");
    const target = path`/rooms/${roomId}/send/m.room.redaction/r1`;
    const redaction = idOf(
      await alice.put(`${target}?org.matrix.msc4140.delay=60000`, {
        redacts: eventId,
      }),
    );
    must(await manage(redaction, "send"));
    const event = must(
      await alice.get(path`/rooms/${roomId}/event/${eventId}`),
    );
    expect(event["content"]).to.deep.equal({});
  });

  it("are forgotten a week after they have ended", async () => {
    const roomId = await makeRoom(alice);
    const delayId = idOf(await sendLater(alice, roomId, "x"));
    must(await manage(delayId, "cancel"));
    const { sql } = server.database;
    await sql`update delayed_events set finalised_ts = finalised_ts - 8 * 86400000::bigint`;
    const kept = idOf(await sendLater(alice, roomId, "y"));
    await runJob(server.edges, forgetDelayedEvents);
    expectError(await manage(delayId, "cancel"), 404, "M_NOT_FOUND");
    must(await manage(kept, "cancel"));
  });
});
