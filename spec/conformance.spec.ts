import { expect } from "chai";
import { loadRows } from "../test/conformance/harness/load.ts";
import { listParents } from "../test/conformance/harness/parents.ts";
import { keyOf } from "../test/conformance/harness/registry.ts";
import {
  listBehaviours,
  listLeftOut,
  readResults,
} from "../test/conformance/harness/tables.ts";

describe("conformance rows", () => {
  const behaviours = listBehaviours();
  const known = new Set(behaviours.map(keyOf));
  const leftOut = new Set(listLeftOut().map(keyOf));
  let tested: Set<string>;

  before(async () => {
    tested = new Set((await loadRows()).map(keyOf));
  });

  it("test behaviours by their names, or are our own", () => {
    const isOwn = (key: string) => key.startsWith("myelin\t");
    const unknown = [...tested].filter((key) => !known.has(key) && !isOwn(key));
    expect(tested.size).to.be.above(150);
    expect(unknown).to.deep.equal([]);
  });

  it("test, derive or leave out every behaviour of one server", () => {
    const derived = new Set(listParents(behaviours).map(keyOf));
    const forgotten = [...known].filter(
      (key) => !tested.has(key) && !leftOut.has(key) && !derived.has(key),
    );
    expect(forgotten).to.deep.equal([]);
  });

  it("leave out only what is known and not tested, each with its reason", () => {
    expect([...leftOut].filter((key) => !known.has(key))).to.deep.equal([]);
    expect([...leftOut].filter((key) => tested.has(key))).to.deep.equal([]);
    expect(listLeftOut().filter(({ reason }) => !reason)).to.deep.equal([]);
  });

  it("pass with ours, those that others stand under too", () => {
    const results = readResults();
    const due = [...known, ...tested].filter((key) => !leftOut.has(key));
    const red = due.filter((key) => results.get(key)?.ours !== "pass");
    expect(red).to.deep.equal([]);
    const gone = [...results.keys()].filter(
      (key) => !known.has(key) && !tested.has(key),
    );
    expect(gone).to.deep.equal([]);
  });

  it("have a result of Synapse, and a note where it fails", () => {
    const results = readResults();
    const missing = [...tested].filter((key) => !results.get(key)?.synapse);
    expect(missing).to.deep.equal([]);
    const unexplained = [...results].filter(
      ([key, { synapse, note }]) =>
        tested.has(key) && synapse === "fail" && note === "",
    );
    expect(unexplained).to.deep.equal([]);
  });
});
