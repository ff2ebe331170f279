import { expect } from "chai";
import { getLastMark } from "../../src/storage/batches.ts";
import type { Sql } from "../../src/storage/database.ts";
import { endPresence, setPresence } from "../../src/storage/presence.ts";
import {
  endOverdueTyping,
  endTyping,
  setTypingUntil,
} from "../../src/storage/typing.ts";
import { useDatabase } from "../support/database.ts";

const LOCK_NOT_AVAILABLE = "55P03";

describe("the marks of typing and presence", () => {
  const database = useDatabase();
  const online = (userId: string) => ({
    userId,
    deviceId: "D",
    state: "online",
    lastActiveTs: 1,
  });
  const writers: Record<string, (sql: Sql) => Promise<unknown>> = {
    "a typing": (sql) => setTypingUntil(sql, 1, "@new:hs", 5),
    "the end of a typing": (sql) => endTyping(sql, 2, "@ends:hs", 5),
    "the end of typings overdue": (sql) => endOverdueTyping(sql, 5),
    "a presence": (sql) => setPresence(sql, online("@new:hs")),
    "the end of presences": (sql) => endPresence(sql, 5),
    "a process that starts": getLastMark,
  };

  for (const [name, write] of Object.entries(writers)) {
    it(`are committed in their order: ${name} waits for the one before`, async () => {
      const { sql } = database;
      await setTypingUntil(sql, 2, "@ends:hs", 5);
      await setTypingUntil(sql, 3, "@overdue:hs", 3);
      await setPresence(sql, online("@gone:hs"));
      const [first, second] = [1, 2].map(() => database.open({ poolSize: 1 }));
      try {
        await first!`begin`;
        await setTypingUntil(first!, 4, "@first:hs", 9);
        await second!`set lock_timeout = '50ms'`;
        const refusal = await write(second!).then(
          () => undefined,
          (thrown: { code: string }) => thrown.code,
        );
        expect(refusal).to.equal(LOCK_NOT_AVAILABLE);
      } finally {
        await first!`rollback`;
      }
    });
  }
});
