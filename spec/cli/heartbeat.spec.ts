import { expect } from "chai";
import { Heartbeat } from "../../src/cli/heartbeat.ts";

describe("Heartbeat", () => {
  const askTimes = (heartbeat: Heartbeat, count: number) =>
    Array.from({ length: count }, () => heartbeat.ask());

  it("gives up who leaves six questions in a row unanswered", () => {
    const heartbeat = new Heartbeat();
    expect(askTimes(heartbeat, 6)).to.not.include(false);
    expect(heartbeat.ask()).to.equal(false);
  });

  it("begins anew with each answer, however late", () => {
    const heartbeat = new Heartbeat();
    for (let i = 0; i < 3; i += 1) {
      expect(askTimes(heartbeat, 6)).to.not.include(false);
      heartbeat.answered();
    }
  });
});
