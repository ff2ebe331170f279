import { expect } from "chai";
import {
  createKnownUsers,
  sealsRecords,
} from "../../src/storage/seal-records.ts";
import { auditHead, readAudit } from "../support/audit.ts";
import { committed, useCommitters } from "../support/committers.ts";
import { countStatements } from "../support/count-statements.ts";
import { useServer } from "../support/server.ts";

describe("a record of the audit log", () => {
  const server = useServer();
  const committers = useCommitters(server.database, 1);

  it("takes no statement of its own once its users are known, and is sealed as before", async () => {
    const { userId } = await server.user("alice");
    const { db: sql, keyring } = server.edges;
    const counted = countStatements(sql);
    const committer = sealsRecords(committers[0]!, {
      ...{ sql: counted.sql, keyring, known: createKnownUsers(), node: "n" },
    });
    const write = async (target: string) =>
      committed(
        await committer.commit({
          positions: 0,
          audit: [
            {
              ...{ ts: Date.now(), action: "users.lock", result: "allowed" },
              actor: { kind: "user", userId },
              resource: { type: "user", id: target },
            },
          ],
        }),
      );
    const before = await auditHead(server);
    await write(userId);
    counted.taken();
    await write(userId);
    expect(counted.taken()).to.equal(0);
    // Who has no account may have one by the next time.
    await write("@nobody:test");
    await server.user("nobody");
    await write("@nobody:test");
    const targets = (await readAudit(server, before))
      .filter(({ action }) => action === "users.lock")
      .map(({ resource }) => resource["id"]);
    expect(targets).to.deep.equal([
      ...[userId, userId, undefined, "@nobody:test"],
    ]);
  });

  it("holds no control and no half of a character, whatever a client sent", async () => {
    const { db: sql, keyring } = server.edges;
    const needs = { sql, keyring, known: createKnownUsers(), node: "n" };
    const before = await auditHead(server);
    committed(
      await sealsRecords(committers[0]!, needs).commit({
        positions: 0,
        audit: [
          {
            ...{ ts: Date.now(), action: "rooms.read", result: "allowed" },
            actor: { kind: "command line" },
            resource: { type: "rooms", id: "a\0b\ud800c\u{1f600}" },
            reason: `${"x".repeat(1023)}\u{1f600}`,
            after: { "n\n": ["\t", 0.5, "whole"] },
          },
        ],
      }),
    );
    const [record] = await readAudit(server, before);
    expect(record!.resource["id"]).to.equal("a\ufffdb\ufffdc\u{1f600}");
    expect(record!["reason"]).to.equal(`${"x".repeat(1023)}\ufffd`);
    expect(record!["after"]).to.deep.equal({
      "n\ufffd": ["\ufffd", "0.5", "whole"],
    });
  });
});
