import { expect } from "chai";
import {
  readBusMessage,
  writeBusMessage,
} from "../../src/storage/bus-message.ts";

describe("messages of the bus", () => {
  it("are read as they were written", () => {
    for (const message of [
      {
        kind: "batch",
        batch: { from: 1, to: 3, rooms: [4], users: ["@a:hs"] },
      },
      { kind: "batch", batch: { id: "a-batch", from: 1, to: 3 } },
      { kind: "ephemeral", ephemeral: { mark: 7, rooms: [4], users: [] } },
      { kind: "revoked", tokenIds: [1, 2] },
      { kind: "reached", position: 12, call: "a-call" },
      { kind: "heard", call: "a-call", by: "a-process" },
      { kind: "keysDestroyed", keyIds: [3] },
    ] as const) {
      const texts = writeBusMessage(message);
      expect(texts.map(readBusMessage)).to.deep.equal([message]);
    }
  });

  it("are parted where they are longer than a notification may be", () => {
    const tokenIds = Array.from({ length: 5000 }, (_, i) => i + 2 ** 40);
    const texts = writeBusMessage({ kind: "revoked", tokenIds });
    expect(
      Math.max(...texts.map((text) => Buffer.byteLength(text))),
    ).to.be.below(8000);
    expect(
      texts.flatMap((text) => {
        const message = readBusMessage(text);
        return message?.kind === "revoked" ? message.tokenIds : [];
      }),
    ).to.deep.equal(tokenIds);

    const users = Array.from(
      { length: 500 },
      (_, i) => `@${"ü".repeat(50)}${i}:hs`,
    );
    const ephemeral = { mark: 9, rooms: [1, 2], users };
    const parts = writeBusMessage({ kind: "ephemeral", ephemeral }).map(
      (text) => {
        expect(Buffer.byteLength(text)).to.be.below(8000);
        const message = readBusMessage(text);
        if (message?.kind !== "ephemeral") throw new Error("another kind");
        expect(message.ephemeral).to.include({ mark: 9, isPart: true });
        return message.ephemeral;
      },
    );
    expect(parts.flatMap((part) => part.users ?? [])).to.deep.equal(users);
    expect(parts.flatMap((part) => part.rooms ?? [])).to.deep.equal([1, 2]);
  });

  it("carry the call behind all that has to be heard before it is answered", () => {
    const tokenIds = Array.from({ length: 5000 }, (_, i) => i + 2 ** 40);
    const texts = writeBusMessage({ kind: "revoked", tokenIds, call: "x" });
    const calls = texts.map((text) => {
      const message = readBusMessage(text);
      return message?.kind === "revoked" ? message.call : "another kind";
    });
    expect(calls.slice(0, -1)).to.deep.equal(
      texts.slice(0, -1).map(() => undefined),
    );
    expect(calls.at(-1)).to.equal("x");
  });

  it("are left out where they have no form of ours", () => {
    for (const text of [
      "",
      "x",
      "null",
      "[]",
      "5",
      "{}",
      '{"from":1}',
      '{"from":3,"to":3}',
      '{"from":-1,"to":3}',
      '{"from":"1","to":3}',
      '{"mark":1.5}',
      '{"revoked":"all"}',
      '{"revoked":[1,"2"]}',
      '{"destroyed":[null]}',
      '{"reached":12}',
      '{"reached":"12","call":"a-call"}',
    ]) {
      expect(readBusMessage(text), text).to.equal(undefined);
    }
  });

  it("carry a batch without lists where these are no lists of ours", () => {
    expect(readBusMessage('{"from":1,"to":2,"rooms":["1"]}')).to.deep.equal({
      kind: "batch",
      batch: { from: 1, to: 2 },
    });
  });
});
