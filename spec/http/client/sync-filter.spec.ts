import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";

const RAW = [
  ...["auth_events", "prev_events", "depth", "hashes", "signatures"],
  ...["content", "event_id", "origin_server_ts", "sender", "type"],
];

describe("the filter of GET /sync", () => {
  const server = useServer();
  let count = 0;
  const newUser = (name: string) => server.user(`${name}${(count += 1)}`);

  it("leaves rooms out of one section alone", async () => {
    const alice = await newUser("alice");
    const [kept, shut] = [await makeRoom(alice), await makeRoom(alice)];
    const tell = async (roomId: string) => {
      await say(alice, roomId, "hello");
      const data = path`/user/${alice.userId}/rooms/${roomId}/account_data/org.x`;
      must(await alice.put(data, {}));
      const typing = path`/rooms/${roomId}/typing/${alice.userId}`;
      must(await alice.put(typing, { typing: true }));
    };
    for (const rule of [{ not_rooms: [shut] }, { rooms: [kept] }]) {
      for (const section of ["timeline", "ephemeral", "account_data"]) {
        const filter = { room: { [section]: rule } };
        const reader = new SyncReader(alice, { filter });
        await reader.next();
        for (const roomId of [kept, shut]) await tell(roomId);
        const { join } = (await reader.next()).rooms;
        const counts = (roomId: string) => {
          const { timeline, ephemeral, account_data: data } = join[roomId]!;
          return {
            timeline: timeline.events.length,
            ephemeral: ephemeral!.events.length,
            account_data: data.events.length,
          };
        };
        const all = { timeline: 1, ephemeral: 1, account_data: 1 };
        expect(counts(kept)).to.deep.equal(all);
        expect(counts(shut)).to.deep.equal({ ...all, [section]: 0 });
      }
    }
  });

  it("leaves out invites and knocks of rooms that are not wanted", async () => {
    const [alice, bob] = [await newUser("alice"), await newUser("bob")];
    const invites = [await makeRoom(alice), await makeRoom(alice)];
    const invitee = { user_id: bob.userId };
    for (const roomId of invites) await act(alice, roomId, "invite", invitee);
    const knockable = await makePublicRoom(alice);
    must(
      await alice.put(path`/rooms/${knockable}/state/m.room.join_rules/`, {
        join_rule: "knock",
      }),
    );
    must(await bob.post(path`/knock/${knockable}`));
    const [wanted] = invites as [string];
    const filter = { room: { rooms: [wanted] } };
    const { rooms } = await new SyncReader(bob, { filter }).next();
    expect(Object.keys(rooms.invite)).to.deep.equal([wanted]);
    expect(rooms.knock).to.deep.equal({});
  });

  it("shows events as other servers get them where that is asked for", async () => {
    const alice = await newUser("alice");
    for (const room_version of ["1", "10", "12"]) {
      const roomId = await makeRoom(alice, { room_version });
      const event_format = "federation";
      const reader = new SyncReader(alice, { filter: { event_format } });
      await reader.next();
      const eventId = await say(alice, roomId, "hello");
      const data = { event_format, room: { timeline: { limit: 1 } } };
      const fresh = new SyncReader(alice, { filter: data });
      for (const answer of [await reader.next(), await fresh.next()]) {
        const { timeline, state } = answer.rooms.join[roomId]!;
        const said = timeline.events.at(-1)!;
        expect(said).to.include.all.keys(RAW);
        expect(said).to.include({ event_id: eventId, room_id: roomId });
        expect(said.unsigned).to.have.property("transaction_id");
        expect(said.unsigned).to.have.property("age");
        for (const event of state!.events) {
          expect(event).to.include.all.keys([...RAW, "state_key"]);
        }
      }
      const { body } = await alice.get(path`/rooms/${roomId}/event/${eventId}`);
      expect(body).to.not.have.property("signatures");
    }
  });
});
