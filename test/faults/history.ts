import { Agent } from "node:http";
import { expect } from "chai";
import fc from "fast-check";
import postgres from "postgres";
import {
  checkRoom,
  type HistoryPeople,
} from "../../spec/http/client/history-check.ts";
import { readPaths } from "../../spec/http/client/history-reads.ts";
import {
  steps,
  type HistoryRoom,
} from "../../spec/http/client/history-room.ts";
import { idsOf } from "../../spec/support/rooms.ts";
import { makePeople, type Counts, type Target } from "./history-people.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

/** What each viewer is served on every way to read a room, against an oracle of the specification. */
export const history: ProofCase = {
  name: "history",
  unit: "random room with members, guests and changes of history visibility",
  fullUnits: 10_000,
  unitsPerRun: 250,
  run: runHistory,
};

/** So many rooms at a time, each of other people. */
const LANES = 5;

/** Requests that are on their way together: with more, each only waits for longer. */
const MOST_AT_ONCE = 24;

/** Accounts of their own for each run of rooms: their syncs stay small. */
const ROOMS_OF_ONE = 25;

const ROOMS_OF_A_SHARE = 20;

interface RoomCounts extends Counts {
  rooms: number;
  events: number;
}

async function runHistory({
  seed,
  units,
  isFull,
}: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 2 });
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_AT_ONCE });
  const counts = { rooms: 0, events: 0, requests: 0, "asked again": 0 };
  const numRuns = (isFull ? units : ROOMS_OF_A_SHARE) / LANES;
  let sql: postgres.Sql | undefined;
  try {
    await server.start();
    const stored = (sql = postgres(server.databaseUrl(), { max: 1 }));
    const lanes = Array.from({ length: LANES }, (_, lane) => {
      const property = roomsOf(
        { url: server.url, agent, counts },
        stored,
        lane,
      );
      const options = { seed: seed * LANES + lane, numRuns };
      return fc.check(property, { ...options, endOnFailure: true });
    });
    const faults = (await Promise.all(lanes)).flatMap((checked) =>
      checked.failed
        ? `${String(checked.errorInstance)}: ${JSON.stringify(checked.counterexample)}`
        : [],
    );
    return {
      counts: { ...counts, "ways to read": readPaths.length },
      claims: {
        "every way to read a room serves what the oracle says": faults,
      },
    };
  } finally {
    agent.destroy();
    await sql?.end();
    await server.remove();
  }
}

/** Rooms that one after the other hold what the oracle says of them. */
function roomsOf(
  target: Target & { counts: RoomCounts },
  sql: postgres.Sql,
  lane: number,
) {
  const { counts } = target;
  let rooms = 0;
  let people: HistoryPeople;
  return fc.asyncProperty(steps, fc.nat(), async (script, chance) => {
    if (rooms % ROOMS_OF_ONE === 0)
      people = await makePeople(target, `${lane}-${rooms}`);
    rooms += 1;
    const { events } = await checkRoom(people, script, chance, (room) =>
      checkWhole(sql, room),
    );
    counts.rooms += 1;
    counts.events += events.length;
  });
}

/** That what the owner reads is all that is stored. */
async function checkWhole(
  sql: postgres.Sql,
  { roomId, events }: HistoryRoom,
): Promise<void> {
  const stored = await sql<{ event_id: string }[]>`
    select e.event_id from events e join rooms r on r.room_nid = e.room_nid
    where r.room_id = ${roomId} order by e.position`;
  expect(idsOf(events)).to.deep.equal(stored.map(({ event_id: id }) => id));
}
