import { expect } from "chai";
import { BUMP_TYPES } from "../../src/domain/sync/sliding/bump-types.ts";
import { listBumps } from "../../src/storage/room-order.ts";
import type { EventRow } from "../../src/storage/write.ts";
import { useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventsWrite, newNid } from "../support/writes.ts";

describe("listBumps", () => {
  const database = useDatabase();
  const committers = useCommitters(database, 1);

  /** The position of the last of these events of a room. */
  async function say(
    roomNid: number,
    ...events: Partial<EventRow>[]
  ): Promise<number> {
    const outcome = await committers[0]!.commit(
      eventsWrite(events.map((event) => ({ roomNid, ...event }))),
    );
    if (outcome.status !== "committed") throw new Error(outcome.status);
    return outcome.lastPosition;
  }

  const read = (roomNids: readonly number[], upTo = 2 ** 52) =>
    listBumps(database.sql, roomNids, upTo);

  it("knows each type that is activity, and no other", async () => {
    const positions = new Map<number, number>();
    for (const type of BUMP_TYPES) {
      const roomNid = newNid();
      positions.set(roomNid, await say(roomNid, { type }));
      for (const other of ["m.reaction", "m.room.member", "m.room.messages"])
        await say(roomNid, { type: other });
    }
    expect(await read([...positions.keys()])).to.deep.equal(positions);
  });

  it("leaves out a room in which nothing was activity", async () => {
    const [quiet, unknown] = [newNid(), newNid()];
    await say(quiet, { type: "m.reaction" }, { type: "m.room.topic" });
    expect(await read([quiet, unknown])).to.deep.equal(new Map());
    expect(await read([])).to.deep.equal(new Map());
  });

  it("counts neither what was refused nor what has no place", async () => {
    const roomNid = newNid();
    const position = await say(roomNid, {});
    await say(roomNid, { status: 1 });
    await say(roomNid, { status: 2 });
    await say(roomNid, { isOutlier: true });
    expect(await read([roomNid])).to.deep.equal(new Map([[roomNid, position]]));
  });

  it("looks no further than a position", async () => {
    const roomNid = newNid();
    const first = await say(roomNid, {});
    const second = await say(roomNid, {});
    const at = async (upTo: number) =>
      (await read([roomNid], upTo)).get(roomNid);
    expect(await at(second)).to.equal(second);
    expect(await at(second - 1)).to.equal(first);
    expect(await at(first - 1)).to.equal(undefined);
  });
});
