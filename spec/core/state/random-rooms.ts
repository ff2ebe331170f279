import fc from "fast-check";
import type { RoomEvent } from "../../../src/core/event.ts";
import {
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import {
  alice,
  bob,
  carol,
  emptyRoom,
  powerLevelsDraft,
  powers,
  type Room,
} from "../room-builder.ts";
import { draftOf, markOf, USERS, type Step } from "./random-acts.ts";
import {
  areAuthEventsAllowed,
  isAllowed,
  selectSlowly,
} from "./reference/auth.ts";
import { resolveSlowly } from "./reference/resolve.ts";

/** A claim of a server about the state of one branch. */
interface Claim {
  branch: number;
  /** "outdated": this event is the current one. "partial": only some of the state. */
  kind: "outdated" | "partial";
  event: number;
}

export interface Script {
  version: string;
  isCarolCreator: boolean;
  isUnfederated: boolean;
  /** What the room's first power levels say of these acts. */
  levels: { ban: number; kick: number; invite: number };
  steps: Step[];
  claims: Claim[];
  /** An event that is not known when the branches are resolved, if there is one at that place. */
  missing: number;
}

const ACTS = [
  ...(["fork", "fork", "fork", "merge", "merge", "merge"] as const),
  ...(["power", "power", "power", "power", "power", "rule", "rule"] as const),
  ...(["topic", "topic", "topic", "ban", "kick", "kick", "rule"] as const),
  ...(["invite", "invite", "join", "join", "join", "leave"] as const),
  ...(["knock", "knock", "restricted", "restricted", "token"] as const),
  ...(["third-party", "third-party", "aliases", "own"] as const),
  ...(["message", "redaction", "create"] as const),
];

const LEVELS = [0, 25, 50, 75, 100];

const user = fc.nat(USERS.length - 1);
const oneIn = (times: number) => fc.nat(times - 1).map((n) => n === times - 1);

const step: fc.Arbitrary<Step> = fc.record({
  branch: fc.nat(5),
  act: fc.constantFrom(...ACTS),
  by: user,
  on: user,
  what: fc.nat(15),
  level: fc.constantFrom(...LEVELS),
  // Few, so that many are equal and that clocks differ.
  skew: fc.nat(8),
  isForced: oneIn(8),
  isStale: oneIn(5),
});

export const scriptOf = (versions: readonly string[]): fc.Arbitrary<Script> =>
  fc.record({
    version: fc.constantFrom(...versions),
    isCarolCreator: oneIn(3),
    isUnfederated: oneIn(16),
    levels: fc.record({
      ban: fc.constantFrom(50, 50, 75),
      kick: fc.constantFrom(50, 50, 25),
      invite: fc.constantFrom(0, 0, 50),
    }),
    steps: fc.array(step, { minLength: 12, maxLength: 40, size: "max" }),
    claims: fc.array(
      fc.record({
        branch: fc.nat(5),
        kind: fc.constantFrom("outdated", "outdated", "partial"),
        event: fc.nat(60),
      }),
      { maxLength: 2 },
    ),
    missing: fc.nat(360),
  });

/** An event with the state before it, and with what the reference says of it there. */
export interface Judged {
  event: RoomEvent;
  before: StateMap;
  authEvents: RoomEvent[];
  isAllowed: boolean;
  areAuthEventsAllowed: boolean;
  after: StateMap;
}

export interface Resolved {
  stateSets: StateMap[];
  events: EventLookup;
  state: StateMap;
}

export interface Played {
  room: Room;
  judged: Judged[];
  resolved: Resolved[];
  /** What came about. */
  marks: Set<string>;
}

interface Branch {
  room: Room;
  heads: string[];
}

const MOST_BRANCHES = 6;

/** Plays a room with forks and merges, as the reference judges and resolves it. */
export function play(script: Script): Played {
  const version = Number(script.version);
  const marks = new Set<string>();
  const start = startRoom(script);
  const branches: Branch[] = [{ room: start, heads: [start.head!.eventId] }];
  const { shared, event: lookup } = start;
  const firstIds = [...shared.events.keys()].slice(0, 1);
  const judged: Judged[] = [];
  const resolved: Resolved[] = [];
  const resolve = (stateSets: StateMap[], events: EventLookup): StateMap => {
    const state = resolveSlowly(version, stateSets, events);
    resolved.push({ stateSets, events, state });
    return state;
  };
  const stateOf = ({ room }: Branch): StateMap => room.state;

  for (const [index, step] of script.steps.entries()) {
    const here = branches[step.branch % branches.length]!;
    if (step.act === "fork") {
      if (branches.length === MOST_BRANCHES) continue;
      branches.push({ room: here.room.fork(), heads: [...here.heads] });
      if (branches.length > 2) marks.add("fork of a fork");
      continue;
    }
    if (step.act === "merge") {
      const others = branches.filter(
        (other, place) => other !== here && (step.what >> place) % 2 === 1,
      );
      if (others.length === 0) continue;
      marks.add("merge");
      here.room.state = resolve([here, ...others].map(stateOf), lookup);
      here.heads = [...new Set([here, ...others].flatMap((one) => one.heads))];
      for (const { room } of others) {
        if (room.head!.pdu.depth > here.room.head!.pdu.depth)
          here.room.head = room.head;
      }
      continue;
    }
    const draft = draftOf(script.version, step, here.room);
    if (draft === undefined) continue;
    const isCreate = draft.type === "m.room.create" && step.what !== 8;
    // Only its creator may join a room right after its create event.
    const isFirst = step.act === "join" && step.what === 1;
    const made = here.room.draft({
      ...draft,
      eventId: scatteredId(version, index, USERS[step.by]!),
      ts: 100_000 + index + step.skew,
      prev: isCreate ? [] : isFirst ? firstIds : here.heads,
    });
    const authEventIds = selectIds(version, made, here.room, step);
    const known = authEventIds.map((id) => lookup(id)!);
    const event = { ...made, authEventIds };
    const before = here.room.state;
    const current = new Set(before.values());
    const verdict = {
      isAllowed: isAllowed(version, event, here.room.lookup),
      areAuthEventsAllowed: areAuthEventsAllowed(version, event, known),
    };
    const isGood =
      verdict.isAllowed &&
      verdict.areAuthEventsAllowed &&
      isAllowed(version, event, (type, key) =>
        type === "m.room.create" && version >= 12
          ? lookup(`$${event.roomId.slice(1)}`)
          : known.find(({ pdu }) => pdu.type === type && pdu.state_key === key),
      );
    const stands = {
      ...event,
      isRejected: !isGood && !step.isForced,
    };
    const key = draft.stateKey;
    const after =
      key === undefined || stands.isRejected
        ? before
        : new Map(before).set(stateKeyOf(draft.type, key), event.eventId);
    if (isGood) marks.add(markOf(step, made, here.room));
    else marks.add(step.isForced ? "not allowed, but taken" : "rejected");
    if (isGood && known.some(({ eventId }) => !current.has(eventId)))
      marks.add("old auth events");
    judged.push({
      event: stands,
      before,
      authEvents: known,
      ...verdict,
      after,
    });
    shared.events.set(event.eventId, stands);
    here.room.state = after;
    here.room.head = stands;
    here.heads = [event.eventId];
  }

  const stateSets = branches.map((branch) => new Map(stateOf(branch)));
  const all = [...shared.events.values()];
  for (const { branch, kind, event } of script.claims) {
    const set = stateSets[branch % stateSets.length]!;
    marks.add(kind);
    if (kind === "partial") {
      for (const [place, key] of [...set.keys()].entries()) {
        if ((place + event) % 3 === 0) set.delete(key);
      }
      continue;
    }
    const { eventId, pdu } = all[event % all.length]!;
    if (pdu.state_key !== undefined)
      set.set(stateKeyOf(pdu.type, pdu.state_key), eventId);
  }
  agreeOnNothingRejected(stateSets, lookup);
  const gone = all[script.missing]?.eventId;
  if (gone !== undefined) marks.add("missing event");
  resolve(stateSets, (id) => (id === gone ? undefined : lookup(id)));
  return { room: start, judged, resolved, marks };
}

/** Some server may claim a rejected event; what all say is what we made ourselves. */
function agreeOnNothingRejected(
  stateSets: Map<string, string>[],
  lookup: EventLookup,
): void {
  for (const [key, id] of stateSets[0]!) {
    if (!lookup(id)!.isRejected) continue;
    if (!stateSets.every((set) => set.get(key) === id)) continue;
    for (const set of stateSets) set.delete(key);
  }
}

function startRoom(script: Script): Room {
  const { version, isCarolCreator, isUnfederated } = script;
  const isV12 = Number(version) >= 12;
  const room = emptyRoom(version, {
    ...(isUnfederated ? { "m.federate": false } : {}),
    ...(isCarolCreator && isV12 ? { additional_creators: [carol] } : {}),
  });
  const users: Record<string, number> =
    isCarolCreator && isV12 ? { [bob]: 50 } : { [bob]: 100, [carol]: 50 };
  room.join(alice).joinRule("public");
  // Joined by force: in a room without federation they are claims of another server.
  for (const user of [bob, carol]) {
    room.force({
      type: "m.room.member",
      stateKey: user,
      sender: user,
      content: { membership: "join" },
      isRejected: isUnfederated,
    });
  }
  return room.with(powerLevelsDraft(powers(version, users, script.levels)));
}

/** Ids whose order says nothing of the order in which events came. */
function scatteredId(version: number, index: number, sender: string): string {
  const name = `$e${String((index * 7919 + 4711) % 10007).padStart(5, "0")}`;
  return version < 3 ? name + sender.slice(sender.indexOf(":")) : name;
}

/** The auth events of an event; where it is stale, one of them is not the current one. */
function selectIds(
  version: number,
  event: RoomEvent,
  room: Room,
  { isForced, isStale, what }: Step,
): string[] {
  const keys = selectSlowly(version, event.pdu).map(([type, key]) =>
    stateKeyOf(type!, key!),
  );
  const ids = [...new Set(keys)].flatMap((key) => room.state.get(key) ?? []);
  if (!isStale || ids.length === 0) return ids;
  // One that the event does not need, as a rule.
  if (what === 7) return [...new Set([...ids, room.head!.eventId])];
  const place = what % ids.length;
  const { pdu } = room.event(ids[place]!)!;
  const same = [...room.shared.events.values()].filter(
    (other) =>
      other.pdu.type === pdu.type && other.pdu.state_key === pdu.state_key,
  );
  const rejected = same.find(({ isRejected }) => isRejected);
  if (isForced && rejected !== undefined) ids[place] = rejected.eventId;
  else ids[place] = same[what % same.length]!.eventId;
  return ids;
}
