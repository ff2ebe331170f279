import fc from "fast-check";
import type {
  Condition,
  PolicyAction,
  PolicyDocument,
  Term,
} from "../../src/core/policy/document.ts";

/** What is said of users and rooms in a world of random policies. */
export interface World {
  user: Record<string, unknown>;
  resource: Record<string, unknown>;
  network: string | null;
  isVerified: boolean | null;
  /** UTC. */
  ts: number;
}

export const attributes = fc.record(
  {
    level: fc.integer({ min: 0, max: 3 }),
    team: fc.subarray(["red", "green", "blue"]),
    label: fc.constantFrom("a", "b"),
    open: fc.boolean(),
  },
  { requiredKeys: [] },
);

const term: fc.Arbitrary<Term> = fc.oneof(
  fc.constantFrom<Term>(
    ...[0, 1, 2, 3, true, false, "a", "b", "red"],
    ...[["red", "blue"], []],
    { env: "verified_device" },
  ),
  fc.constantFrom("level", "team", "label", "open").map((user) => ({ user })),
  fc
    .constantFrom("level", "team", "label", "open", "encrypted", "class")
    .map((resource) => ({ resource })),
);
const pair = fc.tuple(term, term);

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthIdentifier: "condition" },
    fc.record({ eq: pair }),
    fc.record({ in: pair }),
    fc.record({ gte: pair }),
    fc.record({
      cidr: fc.subarray(["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"], {
        minLength: 1,
      }),
    }),
    fc.record({
      all: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      any: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ not: tie("condition") }),
  ) as fc.Arbitrary<Condition>,
}));

/** @param actions of which every rule has some */
export const policies = (
  actions: readonly PolicyAction[],
): fc.Arbitrary<PolicyDocument> =>
  fc
    .array(
      fc.record(
        {
          effect: fc.constantFrom(
            "deny" as const,
            "deny" as const,
            "allow" as const,
          ),
          actions: fc.subarray([...actions], { minLength: 1 }),
          when: condition,
        },
        { requiredKeys: ["effect", "actions"] },
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((rules) => ({
      rules: rules.map((rule, i) => ({ name: `rule ${i}`, ...rule })),
    }));

/**
 * Whether a policy lets somebody do something, naively: a rule is tried in every world
 * that may be the one there is, for all that is not known of it.
 */
export function mayAct(
  { rules }: PolicyDocument,
  action: PolicyAction,
  world: World,
): boolean {
  const worlds = possible(world);
  for (const { effect, actions, when } of rules) {
    if (!actions.includes(action)) continue;
    const outcomes = worlds.map(
      (each) => when === undefined || isTrue(when, each),
    );
    if (effect === "deny" && isNotSurelyFalse(when, world, outcomes))
      return false;
    if (effect === "allow" && isSurelyTrue(when, world, outcomes)) return true;
  }
  return true;
}

/** Of what is not known each part is looked at by itself, as the documents say. */
const isNotSurelyFalse = (
  when: Condition | undefined,
  world: World,
  outcomes: readonly boolean[],
): boolean =>
  when === undefined || isKnown(world)
    ? outcomes.includes(true)
    : range(when, world).includes(true);

const isSurelyTrue = (
  when: Condition | undefined,
  world: World,
  outcomes: readonly boolean[],
): boolean =>
  when === undefined || isKnown(world)
    ? !outcomes.includes(false)
    : !range(when, world).includes(false);

const isKnown = ({ network, isVerified }: World): boolean =>
  network !== null && isVerified !== null;

/** The values that a condition may have, each part of it by itself. */
function range(when: Condition, world: World): boolean[] {
  const combine = (parts: boolean[][], of: (values: boolean[]) => boolean) => {
    const all = parts.reduce<boolean[][]>(
      (lists, part) =>
        lists.flatMap((list) => part.map((value) => [...list, value])),
      [[]],
    );
    return [...new Set(all.map(of))];
  };
  if ("not" in when) return range(when.not, world).map((value) => !value);
  if ("all" in when)
    return combine(
      when.all.map((part) => range(part, world)),
      (values) => values.every(Boolean),
    );
  if ("any" in when)
    return combine(
      when.any.map((part) => range(part, world)),
      (values) => values.some(Boolean),
    );
  return [...new Set(possible(world).map((each) => isTrue(when, each)))];
}

function possible(world: World): World[] {
  const networks =
    world.network === null
      ? ["127.0.0.1", "10.0.0.1", "fd00::1", "192.0.2.1"]
      : [world.network];
  const verified =
    world.isVerified === null ? [true, false] : [world.isVerified];
  return networks.flatMap((network) =>
    verified.map((isVerified) => ({ ...world, network, isVerified })),
  );
}

function isTrue(when: Condition, world: World): boolean {
  if ("all" in when) return when.all.every((part) => isTrue(part, world));
  if ("any" in when) return when.any.some((part) => isTrue(part, world));
  if ("not" in when) return !isTrue(when.not, world);
  if ("cidr" in when)
    return when.cidr.some((network) => {
      const [head = ""] = network.split(/[.:]/);
      return world.network!.split(/[.:]/)[0] === head;
    });
  if ("time" in when) throw new TypeError("No time in a random policy.");
  const [left, right] = (
    "eq" in when ? when.eq : "in" in when ? when.in : when.gte
  ).map((each) => valueOf(each, world));
  if ("eq" in when)
    return left === right && left !== undefined && !Array.isArray(left);
  if ("gte" in when)
    return (
      typeof left === "number" && typeof right === "number" && left >= right
    );
  const these = left === undefined ? [] : [left].flat();
  const those = right === undefined ? [] : [right].flat();
  return these.filter((value) => those.includes(value)).length > 0;
}

function valueOf(each: Term, world: World): unknown {
  if (typeof each !== "object" || Array.isArray(each)) return each;
  if ("env" in each) return world.isVerified;
  const { user, resource } = each as { user?: string; resource?: string };
  return user === undefined ? world.resource[resource!] : world.user[user];
}
