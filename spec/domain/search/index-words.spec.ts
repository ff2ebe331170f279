import { expect } from "chai";
import { runJob, type Job } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { destroyKeys } from "../../../src/storage/destroy-keys.ts";
import type { KeyName } from "../../../src/storage/keyring.ts";
import { endLease, takeLease } from "../../../src/storage/leases.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { makePublicRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("the words of events", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const rest = () => server.database.sql`
    update leases set expires_ts = clock_timestamp() where name = ${indexWords.name}`;

  const readAll = async () => {
    await rest();
    await runJob({ ...server.edges, memory: new ProcessMemory() }, indexWords);
  };

  const wordsOf = async (eventId: string): Promise<string[] | undefined> => {
    const [row] = await server.database.sql<{ words: string[] }[]>`
      select s.words::text[] as words from search_events s join events e using (nid)
      where e.event_id = ${eventId}`;
    return row?.words;
  };

  const find = async (user: TestUser, search_term: string) => {
    const answer = await user.post("/search", {
      search_categories: { room_events: { search_term } },
    });
    const { search_categories: found } = must<{
      search_categories: {
        room_events: { results: { result: { event_id: string } }[] };
      };
    }>(answer);
    return found.room_events.results.map(({ result }) => result.event_id);
  };

  it("are hashes that are equal in one room alone", async () => {
    const [one, other] = [
      await makePublicRoom(alice),
      await makePublicRoom(alice),
    ];
    const ids = [
      await say(alice, one, "secret"),
      await say(alice, one, "SECRET!"),
      await say(alice, other, "secret"),
    ];
    await readAll();
    const [first, second, third] = await Promise.all(ids.map(wordsOf));
    expect(first).to.have.length(1);
    expect(second).to.deep.equal(first);
    expect(third).to.have.length(1);
    expect(third).not.to.deep.equal(first);
  });

  it("are read on from where they were, each event once, by one process at a time", async () => {
    const roomId = await makePublicRoom(alice);
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1)
      ids.push(await say(alice, roomId, `numbered ${i}`));
    await rest();
    const other = await server.startProcess();
    await Promise.all(
      [server.edges, other.edges].map((edges) => runJob(edges, indexWords)),
    );
    for (const id of ids) expect(await wordsOf(id)).to.have.length(2);
    const late = await say(alice, roomId, "numbered late");
    await readAll();
    expect(await wordsOf(late)).to.have.length(2);
  });

  it("are written by nobody whose lease is lost", async () => {
    const roomId = await makePublicRoom(alice);
    const eventId = await say(alice, roomId, "leased");
    const name = "a lease that is lost";
    const lost = await takeLease(server.edges.db, name, 30_000);
    await endLease(server.edges.db, lost!, 0);
    const stale: Job<typeof server.edges> = {
      ...indexWords,
      step: (edges) => indexWords.step(edges, lost!),
    };
    await stale.step(server.edges, lost!);
    expect(await wordsOf(eventId)).to.equal(undefined);
    await readAll();
    expect(await wordsOf(eventId)).to.have.length(1);
  });

  it("go with what they were of: a redaction takes them in the same commit", async () => {
    const roomId = await makePublicRoom(alice);
    const eventId = await say(alice, roomId, "redacted");
    await readAll();
    expect(await wordsOf(eventId)).to.have.length(1);
    must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/x`, {}));
    expect(await wordsOf(eventId)).to.equal(undefined);
  });

  it("stay of nothing that was redacted while they were read", async () => {
    const roomId = await makePublicRoom(alice);
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, i) => say(alice, roomId, `fleeting ${i}`)),
    );
    await rest();
    await Promise.all([
      runJob(server.edges, indexWords),
      ...ids.map(async (id, i) =>
        must(
          await alice.put(path`/rooms/${roomId}/redact/${id}/f${`${i}`}`, {}),
        ),
      ),
    ]);
    for (const id of ids) expect(await wordsOf(id)).to.equal(undefined);
  });

  it("are never of what was redacted before they were read", async () => {
    const roomId = await makePublicRoom(alice);
    const eventId = await say(alice, roomId, "unread");
    must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/y`, {}));
    await readAll();
    expect(await wordsOf(eventId)).to.equal(undefined);
  });

  for (const scope of ["user-span", "room-span"] as const)
    it(`cannot be guessed once the ${scope} key of what they were of is destroyed; others' are found again`, async () => {
      const roomId = await makePublicRoom(alice);
      must(await bob.post(path`/rooms/${roomId}/join`));
      const mine = await say(alice, roomId, `forgettable ${scope}`);
      const his = await say(bob, roomId, `memorable ${scope}`);
      await readAll();
      const before = await wordsOf(his);
      const span = server.edges.keyring.spanAt(Date.now());
      const owner = scope === "user-span" ? alice.userId : roomId;
      const name: KeyName = { scope, owner, span };
      const { keyring, memory } = server.edges;
      const bus = { publish: () => undefined };
      const { sql } = server.database;
      await destroyKeys({ sql, bus, keyring, memory }, [name]);
      const keys = await sql`
        select from keys where scope = 'room-words' and owner = ${roomId}`;
      expect(keys).to.have.length(0);
      await readAll();
      const after = await wordsOf(his);
      if (scope === "user-span") {
        expect(await wordsOf(mine)).to.equal(undefined);
        expect(after).to.have.length(3);
        expect(after).not.to.deep.equal(before);
        expect(await find(bob, "memorable user")).to.deep.equal([his]);
      } else {
        expect(after).to.equal(undefined);
      }
      expect(await find(bob, `forgettable ${scope}`)).to.deep.equal([]);
      const [pending] = await sql`
        select from search_spans where pending_from is not null`;
      expect(pending).to.equal(undefined);
    });
});

describe("the words of events that are not sealed", () => {
  const server = useServer({ sealing: "off" });

  it("are found all the same", async () => {
    const alice = await server.user("alice");
    const roomId = await makePublicRoom(alice);
    const eventId = await say(alice, roomId, "open secret");
    await runJob(server.edges, indexWords);
    const { body } = await alice.post("/search", {
      search_categories: { room_events: { search_term: "secret" } },
    });
    expect(JSON.stringify(body)).to.include(eventId);
    const rows = await server.database.sql`select from search_events`;
    expect(rows.length).to.be.above(0);
  });
});
