import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import {
  ChainVerifier,
  hashLink,
  signCheckpoint,
  type ChainLink,
} from "../../src/core/audit-chain.ts";
import { KeyChain, type KeyRotation } from "../../src/core/audit-keys.ts";
import { Prunings } from "../../src/core/audit-prunings.ts";
import {
  PRUNING,
  readStatement,
  ROTATION,
  signStatement,
} from "../../src/core/audit-statements.ts";

interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}
const makePair = (): Pair => generateKeyPairSync("ed25519");
const rawOf = ({ publicKey }: Pair): string =>
  Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url")
    .toString("base64")
    .replace("=", "");

const [first, second, third, evil] = [
  makePair(),
  makePair(),
  makePair(),
  makePair(),
] as const;

const rotationOf = (before: Pair, after: Pair, by = before) =>
  signStatement(
    ROTATION,
    { old_public_key: rawOf(before), public_key: rawOf(after) },
    by.privateKey,
  );
const recordOf = (action: string, after: object, result = "allowed") =>
  JSON.stringify({ action, result, after });

const chainOf = (records: readonly string[], prevHash = ""): ChainLink[] =>
  records.map((record, i) => {
    const link = { seq: i + 1, record, prevHash };
    const hash = hashLink(prevHash, i + 1, record);
    prevHash = hash;
    return { ...link, hash };
  });

/** Twenty records, of which some are given. */
const chainWith = (given: Readonly<Record<number, string>>) =>
  chainOf(
    Array.from({ length: 20 }, (_, i) => given[i + 1] ?? `{"what":${i}}`),
  );

const checkpointBy = (links: readonly ChainLink[], seq: number, by: Pair) => {
  const { hash } = links[seq - 1]!;
  return signCheckpoint(
    { server: "test", seq, hash, ts: 1, keyId: "k" },
    by.privateKey,
  );
};

const verify = (
  links: readonly ChainLink[],
  trusted: Pair,
  signers: Readonly<Record<number, Pair>>,
  known: readonly KeyRotation[] = [],
) => {
  const rotations = links.flatMap(({ seq, record }) => {
    const signed = readStatement(ROTATION, record);
    return signed ? [{ seq, signed }] : [];
  });
  const keys = new KeyChain(trusted.publicKey, [...known, ...rotations]);
  const verifier = new ChainVerifier(keys);
  for (const link of links) {
    verifier.follow(link);
    const by = signers[link.seq];
    if (by) {
      const { seq, hash } = link;
      const checkpoint = { server: "test", seq, hash, ts: 1, keyId: "k" };
      verifier.pass(signCheckpoint(checkpoint, by.privateKey));
    }
  }
  return verifier.end();
};

describe("the keys of an audit log", () => {
  const links = chainWith({
    5: recordOf(ROTATION, rotationOf(first, second)),
    12: recordOf(ROTATION, rotationOf(second, third)),
  });
  const signers = { 3: first, 5: second, 10: second, 15: third, 20: third };

  it("G1: are followed by whoever trusts the first, or any later one", () => {
    for (const trusted of [first, second, third])
      expect(verify(links, trusted, signers)).to.deep.equal({
        ...{ first: 1, last: 20, links: 20, vouchedTo: 20 },
      });
  });

  it("G1: vouch for nothing by those that came before the trusted one", () => {
    expect(verify(links, third, { 3: first, 10: second }).vouchedTo).to.equal(
      0,
    );
    expect(verify(links, second, { 3: first, 10: second }).vouchedTo).to.equal(
      10,
    );
  });

  it("G1: may sign what was written before they came, and nothing after they went", () => {
    expect(verify(links, first, { 3: third }).vouchedTo).to.equal(3);
    for (const [seq, by] of [
      [5, first],
      [12, second],
      [20, first],
    ] as const) {
      const { fault } = verify(links, first, { [seq]: by });
      expect(fault, `at ${seq}`).to.include({ seq });
      expect(fault!.why).to.include("had been replaced");
    }
    const verifier = new ChainVerifier(
      new KeyChain(first.publicKey, [
        { seq: 5, signed: rotationOf(first, second) },
      ]),
      [checkpointBy(links, 8, first)],
    );
    expect(verifier.end().fault).to.include({ seq: 8 });
  });

  it("G1: are named by nobody but the one before", () => {
    const bogus = rotationOf(first, evil, evil);
    for (const [what, after] of Object.entries({
      "signed by another": bogus,
      "of another key, which signed it": rotationOf(evil, evil),
      "signed by nobody": { statement: bogus.statement },
      nothing: {},
      "the first one's, of a key that it did not sign": {
        ...rotationOf(first, second),
        statement: { ...rotationOf(first, second).statement, public_key: "x" },
      },
    })) {
      const forged = chainWith({ 7: recordOf(ROTATION, after) });
      const { fault } = verify(forged, first, { 3: first, 10: evil });
      expect(fault, what).to.include({ seq: 7 });
    }
    const late = chainWith({
      5: recordOf(ROTATION, rotationOf(first, second)),
      9: recordOf(ROTATION, rotationOf(first, evil)),
    });
    expect(verify(late, first, { 12: evil }).fault).to.include({ seq: 9 });
    const again = chainWith({
      5: recordOf(ROTATION, rotationOf(first, second)),
      9: recordOf(ROTATION, rotationOf(first, second)),
    });
    expect(verify(again, first, {}).fault).to.include({ seq: 9 });
  });

  it("G1: stay, where it was refused to replace them", () => {
    const refused = recordOf(ROTATION, rotationOf(first, evil, evil), "denied");
    const { fault, vouchedTo } = verify(chainWith({ 7: refused }), first, {
      10: first,
    });
    expect(fault).to.equal(undefined);
    expect(vouchedTo).to.equal(10);
  });

  it("G1: are none of a stranger's", () => {
    expect(verify(links, evil, {}).fault).to.include({ seq: 5 });
    expect(verify(links.slice(0, 4), evil, { 3: first }).fault).to.include({
      seq: 3,
    });
  });

  it("G1: are known from before where an export begins later", () => {
    const known = [{ seq: 5, signed: rotationOf(first, second) }];
    const part = links.slice(8);
    expect(verify(part, first, { 10: second, 15: third }, known)).to.include({
      ...{ first: 9, vouchedTo: 15 },
    });
    const forged = [{ seq: 5, signed: rotationOf(first, evil, evil) }];
    expect(verify(part, first, { 10: evil }, forged).fault).to.include({
      seq: 5,
    });
  });
});

describe("an audit log that was pruned", () => {
  const whole = chainWith({});
  const { hash } = whole[7]!;
  const prunedBy = (pair: Pair, statement: { seq: number; hash: string }) =>
    recordOf(PRUNING, signStatement(PRUNING, statement, pair.privateKey));
  const faultOf = (
    links: readonly ChainLink[],
    from?: number,
    keys: KeyChain | undefined = new KeyChain(first.publicKey),
  ) => {
    const prunings = new Prunings(keys);
    for (const link of links) prunings.follow(link);
    return prunings.findFault(from);
  };

  it("G1: begins where a record that its key signed says", () => {
    const links = chainWith({ 15: prunedBy(first, { seq: 8, hash }) });
    expect(faultOf(links.slice(8))).to.equal(undefined);
    // Some of what may be pruned is still there.
    expect(faultOf(links.slice(4))).to.equal(undefined);
    expect(faultOf(links)).to.equal(undefined);
    expect(faultOf(links.slice(9))).to.include({ seq: 1, upTo: 9 });
  });

  it("G1: lost its beginning where no record says so", () => {
    expect(faultOf(whole.slice(8))).to.include({ seq: 1, upTo: 8 });
    expect(faultOf(whole.slice(8), 9)).to.equal(undefined);
    expect(faultOf(whole.slice(9), 9)).to.include({ seq: 9 });
  });

  it("G1: is pruned by nobody without its key", () => {
    for (const record of [
      prunedBy(evil, { seq: 8, hash }),
      recordOf(PRUNING, { statement: { seq: 8, hash } }),
    ]) {
      const links = chainWith({ 15: record });
      expect(faultOf(links.slice(8))).to.include({ seq: 15 });
    }
    const other = prunedBy(first, { seq: 8, hash: "00".repeat(32) });
    expect(faultOf(chainWith({ 15: other }).slice(8))).to.include({ seq: 9 });
    const rotated = new KeyChain(first.publicKey, [
      { seq: 12, signed: rotationOf(first, second) },
    ]);
    const late = chainWith({ 15: prunedBy(first, { seq: 8, hash }) });
    expect(faultOf(late.slice(8), undefined, rotated)).to.include({ seq: 15 });
  });
});
