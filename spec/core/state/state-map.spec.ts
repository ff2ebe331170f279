import { expect } from "chai";
import fc from "fast-check";
import {
  parseStateKey,
  stateKeyOf,
  stateMapOf,
} from "../../../src/core/state/state-map.ts";
import { alice, bob, memberDraft, room } from "../room-builder.ts";

describe("stateKeyOf", () => {
  it("is undone by parseStateKey, whatever the strings hold", () => {
    const unit = fc.constantFrom("a", "1", ",", "\0", "é", "😀");
    const text = fc.string({ unit });
    fc.assert(
      fc.property(text, text, (type, stateKey) => {
        expect(parseStateKey(stateKeyOf(type, stateKey))).to.deep.equal([
          type,
          stateKey,
        ]);
      }),
    );
  });

  it("keeps apart what joining the strings would mix up", () => {
    expect(stateKeyOf("a", "bc")).not.to.equal(stateKeyOf("ab", "c"));
    expect(stateKeyOf("a\0", "b")).not.to.equal(stateKeyOf("a", "\0b"));
  });
});

describe("stateMapOf", () => {
  it("leaves out rejected events and messages (CVE-2022-39374)", () => {
    const here = room("11").join(bob);
    const rejected = here.draft({
      ...memberDraft(bob, "ban", alice),
      isRejected: true,
    });
    const message = here.draft({ type: "m.room.message" });
    const offered = [...here.shared.events.values(), message, rejected];
    expect(stateMapOf(offered)).to.deep.equal(here.state);
  });
});
