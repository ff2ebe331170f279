import { expect } from "chai";
import { Ledger } from "../../bench/ledger/ledger.ts";
import { isWhole, judge, type Entry } from "../../bench/ledger/verdict.ts";

const ROOM = "!room";

/** Sends by these senders, one after the other, each acknowledged. */
function sendAll(ledger: Ledger, senders: readonly string[]): Entry[] {
  return senders.map((sender) => {
    const entry = ledger.begin(ROOM, sender);
    ledger.acknowledge(entry, `$${entry.label}`);
    return entry;
  });
}

const show = ({ label }: Entry, eventId = `$${label}`) => ({ label, eventId });

describe("verdict of the ledger", () => {
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger("run");
  });
  const verdictOf = (seen: Parameters<typeof judge>[1]) =>
    judge(ledger.entriesOf(ROOM), seen);

  it("is whole when everything is shown once and in order", () => {
    const entries = sendAll(ledger, ["a", "b", "a"]);
    const verdict = verdictOf(entries.map((entry) => show(entry)));
    expect(verdict.acknowledged).to.equal(3);
    expect(isWhole(verdict)).to.equal(true);
  });

  it("misses what is not shown, and what is shown under another id", () => {
    const [first, second] = sendAll(ledger, ["a", "a", "a"]);
    const verdict = verdictOf([show(first!), show(second!, "$other")]);
    expect(verdict.missing).to.equal(2);
    expect(isWhole(verdict)).to.equal(false);
  });

  it("counts what is shown again, also under a second id", () => {
    const [entry] = sendAll(ledger, ["a"]);
    const verdict = verdictOf([
      show(entry!),
      show(entry!),
      show(entry!, "$second"),
    ]);
    expect(verdict.duplicated).to.equal(2);
    expect(verdict.missing).to.equal(0);
    expect(isWhole(verdict)).to.equal(false);
  });

  it("holds each sender to their own order", () => {
    const [one, two, three] = sendAll(ledger, ["a", "b", "a"]);
    const across = verdictOf([two, one, three].map((entry) => show(entry!)));
    expect(across.outOfOrder).to.equal(0);
    const within = verdictOf([three, two, one].map((entry) => show(entry!)));
    expect(within.outOfOrder).to.equal(1);
    expect(isWhole(within)).to.equal(false);
  });

  it("lets sends that overlapped come in either order", () => {
    const one = ledger.begin(ROOM, "a");
    const two = ledger.begin(ROOM, "a");
    for (const entry of [one, two])
      ledger.acknowledge(entry, `$${entry.label}`);
    expect(isWhole(verdictOf([show(two), show(one)]))).to.equal(true);
  });

  it("allows what was never acknowledged, shown or not, and ignores strangers", () => {
    const shown = ledger.begin(ROOM, "a");
    ledger.begin(ROOM, "a");
    const verdict = verdictOf([show(shown), { label: "hello", eventId: "$x" }]);
    expect(verdict.unacknowledged).to.equal(1);
    expect(verdict.acknowledged).to.equal(0);
    expect(isWhole(verdict)).to.equal(true);
  });
});
