import { expect } from "chai";
import type { Verdict } from "../../../src/core/auth/verdict.ts";

export const expectAllowed = (verdict: Verdict): void => {
  expect(verdict).to.equal("allowed");
};

/** Rejected, and for the reason that the case is about. */
export const expectRejected = (verdict: Verdict, reason: RegExp): void => {
  expect(verdict).to.have.property("rejected").that.matches(reason);
};
