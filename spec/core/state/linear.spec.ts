import { expect } from "chai";
import { applyToState } from "../../../src/core/state/linear.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import { stateKeyOf } from "../../../src/core/state/state-map.ts";
import { alice, bob, room, topicDraft, VERSIONS } from "../room-builder.ts";

describe("applyToState", () => {
  it("replaces the entry of a state event", () => {
    const here = room("11").topic("one");
    const two = here.draft(topicDraft("two"));
    const after = applyToState(here.state, two);
    expect(after.get(stateKeyOf("m.room.topic", ""))).to.equal(two.eventId);
    expect(after.size).to.equal(here.state.size);
  });

  it("leaves the state that it was given alone", () => {
    const here = room("11").topic("one");
    const before = new Map(here.state);
    applyToState(here.state, here.draft(topicDraft("two")));
    expect(here.state).to.deep.equal(before);
  });

  it("changes nothing for a message or a rejected event (CVE-2022-39374)", () => {
    const here = room("11");
    const message = here.draft({ type: "m.room.message" });
    const rejected = here.draft({ ...topicDraft("two"), isRejected: true });
    expect(applyToState(here.state, message)).to.equal(here.state);
    expect(applyToState(here.state, rejected)).to.equal(here.state);
  });

  for (const version of VERSIONS) {
    it(`gives what resolution of a linear room gives in version ${version}`, () => {
      const here = room(version)
        .join(bob)
        .topic("one", alice)
        .ban(bob)
        .topic("two");
      const { rules } = here.shared;
      const resolved = resolveState(rules, [here.state], here.event);
      expect(resolved).to.deep.equal(here.state);
    });
  }
});
