import { expect } from "chai";
import type { MembershipRow } from "../../src/storage/write.ts";
import { committed, useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { newNid } from "../support/writes.ts";

type Membership = MembershipRow["membership"];

describe("stays in rooms", () => {
  const database = useDatabase();
  const committers = useCommitters(database, 1);
  const userId = "@stays:test";

  /** One batch that makes a user each of these in turn, and the positions that they take. */
  async function commit(
    roomNid: number,
    ...memberships: Membership[]
  ): Promise<number[]> {
    const results = await Promise.all(
      memberships.map((membership) =>
        committers[0]!.commit({
          positions: 1,
          memberships: [
            {
              at: 0,
              userId,
              roomNid,
              membership,
              sender: userId,
              nid: newNid(),
            },
          ],
        }),
      ),
    );
    return results.map((result) => committed(result).firstPosition);
  }

  const staysIn = async (roomNid: number) => {
    const rows = await database.sql<
      { joinedPosition: number; leftPosition: number | null }[]
    >`
      select joined_position, left_position from stays
      where user_id = ${userId} and room_nid = ${roomNid} order by joined_position`;
    return rows.map((row) => [row.joinedPosition, row.leftPosition]);
  };

  it("last from a join to what ends it, whatever else is said meanwhile", async () => {
    await commit(1, "invite");
    expect(await staysIn(1)).to.deep.equal([]);
    const [joined] = await commit(1, "join");
    await commit(1, "join");
    expect(await staysIn(1)).to.deep.equal([[joined, null]]);
    const [left] = await commit(1, "leave");
    await commit(1, "ban");
    await commit(1, "leave");
    await commit(1, "knock");
    expect(await staysIn(1)).to.deep.equal([[joined, left]]);
    const [again] = await commit(1, "join");
    const [banned] = await commit(1, "ban");
    expect(await staysIn(1)).to.deep.equal([
      [joined, left],
      [again, banned],
    ]);
  });

  it("are what stands at a batch's end", async () => {
    await commit(2, "join", "leave");
    expect(await staysIn(2)).to.deep.equal([]);
    const [, joined] = await commit(2, "leave", "join");
    expect(await staysIn(2)).to.deep.equal([[joined, null]]);
    await commit(2, "leave", "join");
    expect(await staysIn(2)).to.deep.equal([[joined, null]]);
    const [, left] = await commit(2, "join", "leave");
    expect(await staysIn(2)).to.deep.equal([[joined, left]]);
  });
});
