import { expect } from "chai";
import fc from "fast-check";
import { decide, type PolicyFacts } from "../../../src/core/policy/decide.ts";
import type { Condition } from "../../../src/core/policy/document.ts";
import { isWithinTime } from "../../../src/core/policy/time-window.ts";
import { attributes, mayAct, policies } from "../../support/random-policies.ts";

const prefixes = new Map([
  ["127.0.0.0/8", "127"],
  ["10.0.0.0/8", "10"],
  ["fd00::/8", "fd00"],
]);

const factsOf = (
  user: object,
  resource: object,
  network: string | null,
  isVerified: boolean | null,
): PolicyFacts =>
  ({
    user,
    resource,
    env: {
      now: 0,
      isVerified: isVerified ?? undefined,
      isWithin: (networks: readonly string[]) =>
        network === null
          ? undefined
          : networks.some(
              (each) => network.split(/[.:]/)[0] === prefixes.get(each),
            ),
    },
  }) as PolicyFacts;

describe("a policy", () => {
  it("decides as a naive oracle does, also where it is not known how somebody comes", () => {
    const network = fc.constantFrom("127.0.0.1", "10.0.0.9", "192.0.2.1", null);
    const verified = fc.constantFrom(true, false, null);
    fc.assert(
      fc.property(
        policies(["read"]),
        attributes,
        attributes,
        network,
        verified,
        (document, user, resource, from, isVerified) => {
          const facts = factsOf(user, resource, from, isVerified);
          const policy = { policyId: "p", version: 1, document };
          const world = { user, resource, network: from, isVerified, ts: 0 };
          expect(decide([policy], "read", facts, "deny").isAllowed).to.equal(
            mayAct(document, "read", world),
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("counts what is not known against nobody where it is told so", () => {
    const rule = (when: Condition, effect: "deny" | "allow" = "deny") => ({
      policyId: "p",
      version: 1,
      document: {
        rules: [{ name: "r", effect, actions: ["invite" as const], when }],
      },
    });
    const facts = factsOf({}, {}, null, null);
    const may = (when: Condition, doubt: "deny" | "allow") =>
      decide([rule(when)], "invite", facts, doubt).isAllowed;
    const here: Condition = { cidr: ["10.0.0.0/8"] };
    const nobody: Condition = { gte: [{ user: "level" }, 1] };
    expect(may({ not: here }, "deny")).to.equal(false);
    expect(may({ not: here }, "allow")).to.equal(true);
    expect(may({ all: [here, nobody] }, "deny")).to.equal(true);
    expect(may({ not: nobody }, "allow")).to.equal(false);
  });

  it("is one of several that all have to allow", () => {
    const policy = (policyId: string, effect: "deny" | "allow") => ({
      policyId,
      version: 7,
      document: { rules: [{ name: "r", effect, actions: ["read" as const] }] },
    });
    const facts = factsOf({}, {}, null, null);
    const both = [policy("a", "allow"), policy("b", "deny")];
    expect(decide(both, "read", facts, "deny")).to.deep.equal({
      isAllowed: false,
      by: { policyId: "b", version: 7, rule: "r" },
    });
    expect(decide(both, "send", facts, "deny")).to.deep.equal({
      isAllowed: true,
    });
  });
});

describe("a window of time", () => {
  const at = (text: string) => Date.parse(text);

  it("goes by the clock of its zone, summer time too", () => {
    const office = {
      zone: "Europe/Berlin",
      days: ["mon", "tue", "wed", "thu", "fri"],
      from: "08:00",
      to: "18:00",
    } as const;
    const inside = [
      "2026-01-05T07:00Z",
      "2026-07-06T06:00Z",
      "2026-07-06T15:59Z",
    ];
    const outside = [
      "2026-01-05T06:59Z",
      "2026-07-06T16:00Z",
      "2026-01-03T10:00Z",
    ];
    for (const text of inside)
      expect(isWithinTime(office, at(text)), text).to.equal(true);
    for (const text of outside)
      expect(isWithinTime(office, at(text)), text).to.equal(false);
  });

  it("may pass midnight, and is of the day on which it begins", () => {
    const night = {
      zone: "Asia/Shanghai",
      days: ["fri"],
      from: "22:00",
      to: "06:00",
    } as const;
    expect(isWithinTime(night, at("2026-11-27T14:00Z"))).to.equal(true);
    expect(isWithinTime(night, at("2026-11-27T21:59Z"))).to.equal(true);
    expect(isWithinTime(night, at("2026-11-27T22:00Z"))).to.equal(false);
    expect(isWithinTime(night, at("2026-11-26T16:00Z"))).to.equal(false);
    expect(isWithinTime({ zone: "UTC" }, 0)).to.equal(true);
  });
});
