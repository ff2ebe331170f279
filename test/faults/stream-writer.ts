// One process of the stream's proof: 16 writers, with delays, and connections ended at random.
import { setTimeout as pause } from "node:timers/promises";
import { createCommitter } from "../../src/storage/committer.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { quiet } from "../../spec/support/database.ts";
import { eventsWrite } from "../../spec/support/writes.ts";
import { seededChance } from "./random.ts";
import type { Written } from "./stream.ts";

const WRITERS = 16;

const [url = "", seed = "1", units = "0"] = process.argv.slice(2);
const chance = seededChance(Number(seed));
const sql = openDatabase(url, { poolSize: 2, log: quiet });
const committer = createCommitter(sql, {
  now: () => 1,
  log: quiet,
  connections: 2,
});
const written: Written = { ranges: [], aborted: 0 };
let left = Number(units);
let number = 0;

/** An event whose room no other writer knows, with a number of its own. */
function write(room: number, count: number) {
  const events = Array.from({ length: count }, () => {
    number += 1;
    const nid = Number(seed) * 10_000_000 + number;
    return { nid, eventId: `$${nid}`, roomNid: room };
  });
  return eventsWrite(events);
}

async function run(writer: number): Promise<void> {
  const room = Number(seed) * 100 + writer;
  while (left > 0) {
    const count = Math.min(left, 1 + chance.below(4));
    left -= count;
    // One of two hundred is refused by the database and must leave no trace.
    const isBad = chance.below(200) === 0;
    const bad = isBad ? { snapshots: [badSnapshot(room)] } : {};
    try {
      const result = await committer.commit({ ...write(room, count), ...bad });
      if (result.status !== "committed") throw new Error(result.status);
      written.ranges.push([result.firstPosition, result.lastPosition]);
    } catch {
      written.aborted += 1;
      left += count;
    }
    if (chance.below(4) === 0) await pause(chance.below(8));
  }
}

/** Too many hops for its column. */
const badSnapshot = (roomNid: number) => ({
  snapshotId: 1,
  roomNid,
  parentId: null,
  hops: 1_000_000,
  size: 1,
  added: new Uint8Array(),
  removed: new Uint8Array(),
  hash: new Uint8Array(),
});

/** Ends a committer's session in the middle of whatever it does. */
async function abortSessions(): Promise<void> {
  while (left > 0) {
    await pause(500 + chance.below(1000));
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'myelin committer' and datname = current_database()
      order by random() limit 1`;
  }
}

await Promise.all([
  abortSessions(),
  ...Array.from({ length: WRITERS }, (_, i) => run(i)),
]);
await committer.close();
await sql.end({ timeout: 1 });
process.send?.(written, () => process.exit(0));
