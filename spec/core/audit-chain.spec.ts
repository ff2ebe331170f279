import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import {
  ChainVerifier,
  hashLink,
  signCheckpoint,
  type ChainLink,
  type SignedCheckpoint,
} from "../../src/core/audit-chain.ts";
import {
  checkpointLine,
  isFaithful,
  linkLine,
  readExportLine,
} from "../../src/core/audit-export.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const key = createPublicKey(privateKey);
const other = generateKeyPairSync("ed25519").privateKey;

const chainOf = (records: readonly string[]): ChainLink[] => {
  let prevHash = "";
  return records.map((record, i) => {
    const link = {
      ...{ seq: i + 1, record, prevHash },
      hash: hashLink(prevHash, i + 1, record),
    };
    prevHash = link.hash;
    return link;
  });
};
const records = Array.from({ length: 20 }, (_, i) => `{"what":${i}}`);
const chain = chainOf(records);
const checkpointAt = (
  seq: number,
  links = chain,
  by = privateKey,
): SignedCheckpoint =>
  signCheckpoint(
    { server: "test", seq, hash: links[seq - 1]!.hash, ts: 1, keyId: "k" },
    by,
  );

const verify = (
  links: readonly ChainLink[],
  anchors: readonly SignedCheckpoint[] = [],
  within: readonly SignedCheckpoint[] = [],
) => {
  const verifier = new ChainVerifier(key, anchors);
  for (const link of links) {
    verifier.follow(link);
    for (const signed of within)
      if (signed.checkpoint.seq === link.seq) verifier.pass(signed);
  }
  return verifier.end();
};

describe("ChainVerifier", () => {
  it("passes what was written, and tells what vouches for it", () => {
    expect(verify(chain)).to.deep.equal({
      ...{ first: 1, last: 20, links: 20, vouchedTo: 0 },
    });
    expect(verify(chain, [checkpointAt(12)]).vouchedTo).to.equal(12);
    expect(verify(chain, [], [checkpointAt(20)]).vouchedTo).to.equal(20);
    expect(verify(chain.slice(5), [checkpointAt(5)])).to.deep.equal({
      ...{ first: 6, last: 20, links: 15, vouchedTo: 5 },
    });
    expect(verify([]).links).to.equal(0);
  });

  it("G1: names the first record of which a byte is another", () => {
    for (const seq of [1, 7, 20]) {
      const flipped = chain.map((link) =>
        link.seq === seq
          ? { ...link, record: link.record.replace("what", "whet") }
          : link,
      );
      expect(verify(flipped).fault?.seq, `record ${seq}`).to.equal(seq);
      const hash = chain.map((link) =>
        link.seq === seq ? { ...link, hash: "00".repeat(32) } : link,
      );
      expect(verify(hash).fault?.seq, `hash ${seq}`).to.equal(seq);
      if (seq === 1) continue;
      const link = chain.map((each) =>
        each.seq === seq ? { ...each, prevHash: "00".repeat(32) } : each,
      );
      expect(verify(link).fault?.seq, `link ${seq}`).to.equal(seq);
    }
  });

  it("G1: names the first record that is missing, moved or put in", () => {
    expect(verify(chain.filter(({ seq }) => seq !== 7)).fault?.seq).to.equal(7);
    const moved = [...chain];
    [moved[8], moved[9]] = [moved[9]!, moved[8]!];
    expect(verify(moved).fault?.seq).to.equal(9);
    const twice = [...chain.slice(0, 5), chain[4]!, ...chain.slice(5)];
    expect(verify(twice).fault?.seq).to.equal(6);
    const closed = chain
      .filter(({ seq }) => seq !== 7)
      .map((link, i) => ({ ...link, seq: i + 1 }));
    expect(verify(closed).fault?.seq).to.equal(7);
    const forged = { ...chain[6]!, record: '{"what":"else"}' };
    const inserted = [...chain.slice(0, 6), forged, ...chain.slice(6)];
    expect(verify(inserted).fault?.seq).to.equal(7);
  });

  it("G1: names the end that was cut off, by a checkpoint from outside", () => {
    const { fault } = verify(chain.slice(0, 15), [checkpointAt(18)]);
    expect(fault?.seq).to.equal(16);
    expect(verify([], [checkpointAt(18)]).fault?.seq).to.equal(1);
  });

  it("G1: names the stretch that was made anew, by a checkpoint from outside", () => {
    const anew = chainOf(
      records.map((record, i) => (i === 10 ? '{"what":"else"}' : record)),
    );
    expect(verify(anew).fault).to.equal(undefined);
    const anchors = [checkpointAt(5), checkpointAt(10), checkpointAt(15)];
    const { fault } = verify(anew, anchors);
    expect(fault).to.include({ seq: 11, upTo: 15 });
    expect(verify(anew, [], anchors).fault).to.include({ seq: 11, upTo: 15 });
    const whole = chainOf(records.map((record) => record.replace("1", "2")));
    expect(verify(whole, [checkpointAt(20)]).fault).to.include({
      ...{ seq: 1, upTo: 20 },
    });
  });

  it("G1: trusts no checkpoint that another key signed", () => {
    const forged = checkpointAt(10, chain, other);
    expect(verify(chain, [forged]).fault?.seq).to.equal(10);
    expect(verify(chain, [], [forged]).fault?.seq).to.equal(10);
    const { checkpoint, signature } = checkpointAt(10);
    const moved = { checkpoint: { ...checkpoint, ts: 2 }, signature };
    expect(verify(chain, [moved]).fault?.seq).to.equal(10);
  });
});

describe("lines of an export", () => {
  it("G1: show beside a record what it says", () => {
    const record = JSON.stringify({
      action: "users.lock",
      actor: { type: "user", id: "17", sealed: [1, "x"] },
      resource: { type: "room", id: "!a:test" },
    });
    const right = {
      seq: 1,
      action: "users.lock",
      actor: { type: "user", pseudonym: "17", user_id: "@a:test" },
      resource: { type: "room", id: "!a:test" },
    };
    expect(isFaithful(record, right)).to.equal(true);
    for (const forged of [
      { ...right, action: "users.read" },
      { ...right, actor: { ...right.actor, pseudonym: "18" } },
      { ...right, resource: { ...right.resource, id: "!b:test" } },
      { seq: 1 },
    ])
      expect(isFaithful(record, forged), JSON.stringify(forged)).to.equal(
        false,
      );
    const verifier = new ChainVerifier();
    verifier.follow(chain[0]!, false);
    expect(verifier.end().fault?.seq).to.equal(1);
  });

  it("are read as they were written", () => {
    const link = chain[3]!;
    expect(readExportLine(linkLine(link, { a: 1 }))).to.deep.equal({
      ...{ kind: "link", link, opened: { a: 1 } },
    });
    const signed = checkpointAt(4);
    expect(readExportLine(checkpointLine(signed))).to.deep.equal({
      ...{ kind: "checkpoint", signed },
    });
    for (const text of [
      "",
      "{}",
      "[]",
      "no",
      '{"seq":"1"}',
      '{"checkpoint":1}',
    ])
      expect(readExportLine(text), text).to.equal(undefined);
  });
});
