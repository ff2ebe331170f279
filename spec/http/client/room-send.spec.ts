import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import {
  type Answer,
  type Json,
  type TestUser,
  useServer,
} from "../../support/server.ts";

describe("PUT /rooms/{roomId}/send/{eventType}/{txnId}", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("answers the same event for the same transaction of a device", async () => {
    const { body: room } = await alice.post("/createRoom", {});
    const path = `/rooms/${room["room_id"] as string}/send/m.room.message/one`;
    const first = await alice.put(path, { body: "hello", msgtype: "m.text" });
    expect(first.status).to.equal(200);
    const again = await alice.put(path, { body: "other", msgtype: "m.text" });
    expect(again.body).to.deep.equal(first.body);
  });

  it("swallows nothing that was sent to another path with the same transaction id", async () => {
    const roomId = await makeRoom(alice);
    const [first, second] = [
      await say(alice, roomId, "first"),
      await say(alice, roomId, "second"),
    ];
    const targets = [
      path`/rooms/${roomId}/send/m.one/same`,
      path`/rooms/${roomId}/send/m.two/same`,
      path`/rooms/${roomId}/redact/${first}/same`,
      path`/rooms/${roomId}/redact/${second}/same`,
    ];
    const ids = new Set<unknown>();
    for (const target of [...targets, ...targets])
      ids.add(must(await alice.put(target, {}))["event_id"]);
    expect(ids.size).to.equal(targets.length);
    const gone = must(await alice.get(path`/rooms/${roomId}/event/${second}`));
    expect(gone["content"]).to.deep.equal({});
  });

  for (const content of [{}, { redacts: 5 }, { redacts: null }]) {
    it(`refuses a redaction of nothing: ${JSON.stringify(content)}`, async () => {
      for (const room_version of ["1", "10", "12"]) {
        const roomId = await makeRoom(alice, { room_version });
        const target = path`/rooms/${roomId}/send/m.room.redaction/none`;
        const answer = await alice.put(target, content);
        expect(codeOf(answer)).to.deep.equal([400, "M_BAD_JSON"]);
      }
    });
  }

  describe("with a relation", () => {
    let transactions = 0;
    const relate = (
      user: Pick<TestUser, "put">,
      roomId: string,
      type: string,
      relation: Json,
      txnId = `r${transactions++}`,
    ) =>
      user.put(path`/rooms/${roomId}/send/${type}/${txnId}`, {
        body: "related",
        "m.relates_to": relation,
      });
    const react = (
      user: Pick<TestUser, "put">,
      roomId: string,
      event_id: string,
      key: string,
      txnId?: string,
    ) => {
      const relation = { rel_type: "m.annotation", event_id, key };
      return relate(user, roomId, "m.reaction", relation, txnId);
    };

    it("annotates an event like this once, until that is redacted", async () => {
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      const target = await say(alice, roomId, "like me");
      const other = await say(alice, roomId, "and me");
      const first = must(await react(alice, roomId, target, "+"));
      const again = await react(alice, roomId, target, "+");
      expect(codeOf(again)).to.deep.equal([400, "M_DUPLICATE_ANNOTATION"]);
      must(await react(alice, roomId, target, "-"));
      must(await react(alice, roomId, other, "+"));
      must(await react(bob, roomId, target, "+"));
      const relation = { rel_type: "m.annotation", event_id: target, key: "+" };
      must(await relate(alice, roomId, "m.other", relation));
      const eventId = first["event_id"] as string;
      must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/gone`, {}));
      must(await react(alice, roomId, target, "+"));
    });

    it("answers a transaction that is sent again as before", async () => {
      const roomId = await makeRoom(alice);
      const target = await say(alice, roomId, "like me");
      const answers = await Promise.all(
        ["same", "same", "same"].map((txnId) =>
          react(alice, roomId, target, "+", txnId),
        ),
      );
      answers.push(await react(alice, roomId, target, "+", "same"));
      const ids = answers.map((answer) => must(answer)["event_id"]);
      expect(new Set(ids).size).to.equal(1);
    });

    it("lets one through of many that come at once, in two processes", async () => {
      const other = await server.startProcess();
      const roomId = await makeRoom(alice);
      const target = await say(alice, roomId, "like me");
      const keys = ["+", "+", "-", "+", "-", "+", "0", "+"];
      const answers = await Promise.all(
        keys.map((key, i) =>
          react(i % 2 ? other.as(alice) : alice, roomId, target, key),
        ),
      );
      const won = keys.filter((_key, i) => answers[i]!.status === 200);
      expect(won).to.have.members(["+", "-", "0"]);
      for (const answer of answers.filter(({ status }) => status !== 200))
        expect(codeOf(answer)).to.deep.equal([400, "M_DUPLICATE_ANNOTATION"]);
    });

    it("begins no thread at an event that has a relation, but at any other, known or not", async () => {
      const roomId = await makeRoom(alice);
      const thread = (event_id: string) =>
        relate(alice, roomId, "m.room.message", {
          rel_type: "m.thread",
          event_id,
        });
      const root = await say(alice, roomId, "root");
      const inside = must(await thread(root))["event_id"] as string;
      expect(codeOf(await thread(inside))).to.deep.equal([400, "M_UNKNOWN"]);
      const reply = must(
        await relate(alice, roomId, "m.room.message", {
          "m.in_reply_to": { event_id: root },
        }),
      );
      must(await thread(reply["event_id"] as string));
      must(await thread("$unknown"));
      must(await alice.put(path`/rooms/${roomId}/redact/${inside}/gone`, {}));
      must(await thread(inside));
    });

    it("says no more to a stranger than any other message", async () => {
      const roomId = await makeRoom(alice);
      const target = await say(alice, roomId, "secret");
      must(await react(alice, roomId, target, "+"));
      const answers = [
        await react(bob, roomId, target, "+"),
        await react(bob, "!no:test", target, "+"),
        await relate(bob, roomId, "m.x", {}),
      ];
      expect(new Set(answers.map(({ text }) => text)).size).to.equal(1);
      expect(codeOf(answers[0]!)).to.deep.equal([403, "M_FORBIDDEN"]);
    });
  });

  const codeOf = ({ status, body }: Answer) => [status, body["errcode"]];
});
