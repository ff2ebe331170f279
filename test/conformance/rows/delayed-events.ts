import { expect } from "chai";
import { type Answer, expectError, path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { bodies, getMessages } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const BASE = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
const DELAY = "org.matrix.msc4140.delay";
const TYPE = "com.example.test";
const LONG = 900_000;

const delayed = (
  name: string,
  test: (server: Server, user: User, roomId: string) => Promise<void>,
) =>
  row("msc4140", "TestDelayedEvents", name, async (server) => {
    const user = await server.user("delaying");
    const preset = "trusted_private_chat";
    await test(server, user, await user.createRoom({ preset }));
  });

const listDelayed = async (user: User): Promise<JsonObject[]> =>
  list(await user.mustGet(BASE), "delayed_events");

const stateAt = (roomId: string) => path`/rooms/${roomId}/state/${TYPE}/key`;

const sendLater = async (
  user: User,
  target: string,
  body: JsonObject,
  delay = LONG,
): Promise<string> =>
  text(
    await user.must("PUT", target, { body, query: { [DELAY]: delay } }),
    "delay_id",
  );

const manage = (server: Server, delayId: string, action: string) =>
  server.post(`${BASE}${path`/${delayId}/${action}`}`);

/** Waits until nothing of the user's waits any more: what was due is sent then, or about to be. */
const untilDue = (user: User) =>
  user.until(
    () => listDelayed(user),
    (waiting) => waiting.length === 0,
  );

/** Waits until a state is set, and returns its content. */
const untilSet = async (user: User, target: string): Promise<JsonObject> => {
  const isSet = ({ status }: Answer) => status === 200;
  return (await user.until(() => user.get(target), isSet)).body;
};

delayed("delayed events are empty on startup", async (_server, user) => {
  expect(await listDelayed(user)).to.deep.equal([]);
});

delayed("delayed event lookups are authenticated", async (server) => {
  expectError(await server.get(BASE), 401, "M_MISSING_TOKEN");
});

/** Three messages that wait; asked for again they have the same ids. */
async function sendThree(user: User, roomId: string): Promise<string[]> {
  const ids: string[] = [];
  for (const i of [0, 1, 2]) {
    const target = path`/rooms/${roomId}/send/m.room.message/${`txn-${i}`}`;
    const body = { msgtype: "m.text", body: `${i}` };
    const delay = 700 + i * 100;
    ids.push(await sendLater(user, target, body, delay));
    expect(await sendLater(user, target, body, delay)).to.equal(ids[i]);
  }
  return ids;
}

delayed(
  "delayed message events are sent on timeout/cannot get delayed events of another user",
  async (server, user, roomId) => {
    const other = await server.user("other");
    await sendThree(user, roomId);
    expect(await listDelayed(other)).to.deep.equal([]);
    await untilDue(user);
    const sent = await user.until(
      async () =>
        bodies(
          list(
            await getMessages(user, roomId, { dir: "f", limit: 50 }),
            "chunk",
          ),
        ),
      (texts) => texts.length === 3,
    );
    expect(sent).to.deep.equal(["0", "1", "2"]);
  },
);

for (const again of ["", "#01", "#02"]) {
  delayed(
    `delayed message events are sent on timeout/rerequesting delayed event path with the same txnID should have the same response${again}`,
    async (_server, user, roomId) => {
      expect(new Set(await sendThree(user, roomId)).size).to.equal(3);
    },
  );
}

delayed(
  "delayed state events are sent on timeout",
  async (_server, user, roomId) => {
    const content = { setter: "on_timeout" };
    await sendLater(user, stateAt(roomId), content, 900);
    const [waiting] = await listDelayed(user);
    expect(at(waiting, "content")).to.deep.equal(content);
    expectError(await user.get(stateAt(roomId)), 404);
    expect(await untilSet(user, stateAt(roomId))).to.deep.equal(content);
    expect(await listDelayed(user)).to.deep.equal([]);
  },
);

delayed(
  "cannot update a delayed event without an action",
  async (server, user, roomId) => {
    const id = await sendLater(user, stateAt(roomId), {});
    const answer = await server.post(`${BASE}${path`/${id}`}`, {});
    expectError(answer, 400);
  },
);

delayed(
  "cannot update a delayed event with an invalid action",
  async (server, user, roomId) => {
    const id = await sendLater(user, stateAt(roomId), {});
    const target = `${BASE}${path`/${id}`}`;
    expectError(await server.post(target, { action: "oops" }), 400);
  },
);

for (const action of ["cancel", "restart", "send"]) {
  delayed(
    `parallel/cannot ${action} a delayed event without a matching delay ID`,
    async (server) => {
      expectError(await manage(server, "nothing", action), 404, "M_NOT_FOUND");
    },
  );
}

delayed(
  "delayed state events can be cancelled",
  async (server, user, roomId) => {
    const id = await sendLater(user, stateAt(roomId), { set: true }, 800);
    expect((await manage(server, id, "cancel")).status).to.equal(200);
    expect(await listDelayed(user)).to.deep.equal([]);
    // One that is due later is sent, and so would the other have been.
    const other = path`/rooms/${roomId}/state/${TYPE}/later`;
    await sendLater(user, other, { set: true }, 1_200);
    expect(await untilSet(user, other)).to.deep.equal({ set: true });
    expectError(await user.get(stateAt(roomId)), 404, "M_NOT_FOUND");
  },
);

delayed(
  "delayed state events can be sent on request",
  async (server, user, roomId) => {
    const content = { setter: "on_send" };
    const id = await sendLater(user, stateAt(roomId), content);
    expectError(await user.get(stateAt(roomId)), 404);
    expect((await manage(server, id, "send")).status).to.equal(200);
    expect(await listDelayed(user)).to.deep.equal([]);
    expect(await user.mustGet(stateAt(roomId))).to.deep.equal(content);
  },
);

delayed(
  "delayed state events can be restarted",
  async (server, user, roomId) => {
    const content = { setter: "on_timeout" };
    const id = await sendLater(user, stateAt(roomId), content, 1_500);
    const [first] = await listDelayed(user);
    expect((await manage(server, id, "restart")).status).to.equal(200);
    const [second] = await listDelayed(user);
    expect(at(second, "running_since")).to.be.above(
      Number(at(first, "running_since")),
    );
    expectError(await user.get(stateAt(roomId)), 404);
    expect(await untilSet(user, stateAt(roomId))).to.deep.equal(content);
  },
);

row(
  "msc4140",
  "TestDelayedEvents",
  "delayed state events are kept on server restart",
  async (server) => {
    const user = await server.user("delaying");
    const roomId = await user.createRoom();
    const soon = stateAt(roomId);
    const late = path`/rooms/${roomId}/state/${TYPE}/late`;
    await sendLater(user, soon, { setter: "soon" }, 1_000);
    const id = await sendLater(user, late, { setter: "late" });
    expect(await listDelayed(user)).to.have.length(2);
    await server.options.restart?.();
    const waiting = await user.until(
      () => listDelayed(user),
      (events) => events.length === 1,
    );
    expect(waiting.map((event) => event["delay_id"])).to.deep.equal([id]);
    expect(await untilSet(user, soon)).to.deep.equal({ setter: "soon" });
    expectError(await user.get(late), 404, "M_NOT_FOUND");
    expect((await manage(server, id, "send")).status).to.equal(200);
    expect(await user.mustGet(late)).to.deep.equal({ setter: "late" });
  },
  { alone: true, restarts: true, timeout: 90_000 },
);
