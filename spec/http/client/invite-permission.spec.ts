import { expect } from "chai";
import { act, makeRoom, must, path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { oneList, SlidingReader } from "../../support/sliding-reader.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import { until } from "../../support/until.ts";

const BLOCKING = "m.invite_permission_config";
const FILTERING = "org.matrix.msc4155.invite_permission_config";

describe("who may invite", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const permit = async (type: string, content: Json) =>
    must(
      await bob.put(path`/user/${bob.userId}/account_data/${type}`, content),
    );

  const invite = (roomId: string) =>
    alice.post(path`/rooms/${roomId}/invite`, { user_id: bob.userId });

  const invitesIn = async (): Promise<string[]> => {
    const { rooms } = await new SyncReader(bob).next();
    return Object.keys(rooms.invite ?? {});
  };

  it("nobody, where everybody is blocked (MSC4380), as soon as it is said in any process", async () => {
    const other = (await server.startProcess()).as(alice);
    const [first, second] = [await makeRoom(alice), await makeRoom(alice)];
    await permit(BLOCKING, { default_action: "block" });
    for (const answer of [
      await invite(first),
      await other.post(path`/rooms/${first}/invite`, { user_id: bob.userId }),
      await alice.post("/createRoom", { invite: [bob.userId] }),
      await alice.put(path`/rooms/${first}/state/m.room.member/${bob.userId}`, {
        membership: "invite",
      }),
    ]) {
      expect([answer.status, answer.body["errcode"]]).to.deep.equal([
        403,
        "M_INVITE_BLOCKED",
      ]);
    }
    expect(await invitesIn()).to.deep.equal([]);
    await permit(BLOCKING, { default_action: "allow" });
    must(await invite(second));
    expect(await invitesIn()).to.deep.equal([second]);
    await act(bob, second, "leave");
  });

  it("nobody, where everybody is blocked while an invite is on its way", async () => {
    const other = (await server.startProcess()).as(bob);
    const { sql } = server.database;
    const holder = server.database.open({ poolSize: 1 });
    for (const [type, content] of [
      [BLOCKING, { default_action: "block" }],
      [FILTERING, { blocked_users: [alice.userId] }],
    ] as const) {
      const roomId = await makeRoom(alice);
      const invited = await holder.begin(async (tx) => {
        await tx`
          select pg_advisory_xact_lock(hashtext('myelin room'), (room_nid % 256)::int)
          from rooms where room_id = ${roomId}`;
        const answer = invite(roomId);
        await until(async () => {
          const [row] = await sql<{ count: number }[]>`
            select count(*) as count from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`;
          return row!.count > 0;
        });
        must(
          await other.put(
            path`/user/${bob.userId}/account_data/${type}`,
            content,
          ),
        );
        return () => answer;
      });
      expect((await invited()).status).to.equal(403);
      expect(await invitesIn()).to.deep.equal([]);
      await permit(type, {});
    }
    const roomId = await makeRoom(alice);
    must(await invite(roomId));
    await act(bob, roomId, "leave");
  });

  it("not those whom a filter blocks (MSC4155)", async () => {
    for (const content of [
      { blocked_users: [alice.userId] },
      { blocked_users: ["@al*:test"] },
      { blocked_servers: ["te?t"] },
      { blocked_users: [alice.userId], allowed_servers: ["test"] },
    ]) {
      await permit(FILTERING, content);
      const { status, body } = await invite(await makeRoom(alice));
      expect([status, body["errcode"]]).to.deep.equal([
        403,
        "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
      ]);
    }
    for (const content of [
      { blocked_users: null, blocked_servers: "test", ignored_users: [5] },
      { blocked_servers: ["*"], allowed_users: [alice.userId] },
      {},
    ]) {
      await permit(FILTERING, content as Json);
      const roomId = await makeRoom(alice);
      must(await invite(roomId));
      expect(await invitesIn()).to.deep.equal([roomId]);
      await act(bob, roomId, "leave");
    }
  });

  it("those whom a filter ignores, without being heard", async () => {
    await permit(FILTERING, { ignored_servers: ["test"] });
    const ignored = await makeRoom(alice);
    const reader = new SyncReader(bob);
    await reader.next();
    const sliding = new SlidingReader(bob, oneList());
    await sliding.next();
    must(await invite(ignored));
    expect(await invitesIn()).to.deep.equal([]);
    const { rooms } = await reader.next();
    expect(rooms.invite ?? {}).to.deep.equal({});
    for (const each of [sliding, new SlidingReader(bob, oneList())])
      expect((await each.next()).rooms).to.not.have.property(ignored);
    await permit(FILTERING, {});
    expect(await invitesIn()).to.deep.equal([ignored]);
    expect((await sliding.next()).rooms[ignored]!.membership).to.equal(
      "invite",
    );
    await act(bob, ignored, "join");
  });
});
