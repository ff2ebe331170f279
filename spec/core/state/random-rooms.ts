import fc from "fast-check";
import { checkAuth } from "../../../src/core/auth/check.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import {
  stateKeyOf,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import {
  alice,
  bob,
  carol,
  dave,
  memberDraft,
  powers,
  powerLevelsDraft,
  room,
  topicDraft,
  type Draft,
  type Room,
} from "../room-builder.ts";

const USERS = [alice, bob, carol, dave];

interface Step {
  branch: number;
  act: string;
  by: string;
  on: string;
  levels: number[];
  rule: string;
  /** Few times, so that many are equal. */
  ts: number;
}

/** An old event that a server claims to be current on one branch. */
interface Outdated {
  branch: number;
  event: number;
}

export interface Script {
  steps: Step[];
  outdated: Outdated[];
}

const user = fc.constantFrom(...USERS);

export const script: fc.Arbitrary<Script> = fc.record({
  steps: fc.array(
    fc.record({
      branch: fc.nat(3),
      act: fc.constantFrom(
        ...["fork", "fork", "merge", "power", "power", "rule", "topic"],
        ...["topic", "ban", "kick", "join", "join", "leave", "invite"],
      ),
      by: user,
      on: user,
      levels: fc.array(fc.constantFrom(0, 50, 100), {
        minLength: 3,
        maxLength: 3,
      }),
      rule: fc.constantFrom("public", "invite"),
      ts: fc.nat(4),
    }),
    { minLength: 8, maxLength: 30 },
  ),
  outdated: fc.array(fc.record({ branch: fc.nat(3), event: fc.nat(30) }), {
    maxLength: 2,
  }),
});

function draftOf(version: string, step: Step): Draft | undefined {
  const [first = 0, second = 0, third = 0] = step.levels;
  const draft = (): Draft | undefined => {
    switch (step.act) {
      case "power":
        return powerLevelsDraft(
          powers(version, { [bob]: first, [carol]: second, [dave]: third }),
          step.by,
        );
      case "rule":
        return {
          type: "m.room.join_rules",
          stateKey: "",
          sender: step.by,
          content: { join_rule: step.rule },
        };
      case "topic":
        return topicDraft("topic", step.by);
      case "ban":
      case "invite":
        return memberDraft(step.on, step.act, step.by);
      case "kick":
        return memberDraft(step.on, "leave", step.by);
      case "join":
      case "leave":
        return memberDraft(step.by, step.act);
    }
    return undefined;
  };
  const made = draft();
  return made === undefined ? undefined : { ...made, ts: step.ts };
}

export interface Forks {
  room: Room;
  stateSets: StateMap[];
}

/** A room with forks, and the state at the tip of each. */
export function play(version: string, { steps, outdated }: Script): Forks {
  const branches = [
    room(version)
      .join(bob)
      .join(carol)
      .powerLevels(powers(version, { [bob]: 100, [carol]: 50 })),
  ];
  for (const step of steps) {
    const here = branches[step.branch % branches.length]!;
    if (step.act === "fork") {
      if (branches.length < 4) branches.push(here.fork());
      continue;
    }
    if (step.act === "merge") {
      const other = branches[(step.branch + 1) % branches.length]!;
      const { rules } = here.shared;
      here.state = resolveState(rules, [here.state, other.state], here.event);
      continue;
    }
    const draft = draftOf(version, step);
    if (draft === undefined) continue;
    const event = here.draft(draft);
    if (checkAuth(here.shared.rules, event, here.lookup) === "allowed") {
      here.append(event);
    }
  }
  const [first] = branches;
  const stateSets = branches.map((branch) => new Map(branch.state));
  const all = [...first!.shared.events.values()];
  for (const { branch, event } of outdated) {
    const { eventId, pdu } = all[event % all.length]!;
    stateSets[branch % stateSets.length]!.set(
      stateKeyOf(pdu.type, pdu.state_key ?? ""),
      eventId,
    );
  }
  return { room: first!, stateSets };
}
