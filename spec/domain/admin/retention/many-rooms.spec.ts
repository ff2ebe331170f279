import { expect } from "chai";
import { runTask } from "../../../../src/domain/admin/tasks/run-tasks.ts";
import { derive } from "../../../../src/util/derive.ts";
import { useServer } from "../../../support/server.ts";
import { DAY_MS, tick } from "../../../support/retention.ts";

const ROOMS = 1000;
const EVENTS_A_ROOM = 16;
const SPACES = 10;

/** The same each time. */
function seededRandom(seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    below: (n: number) => Math.floor(next() * n),
    chance: (p: number) => next() < p,
  };
}

interface Bounds {
  min: number | null;
  max: number | null;
}

interface RoomOf {
  nid: number;
  id: string;
  isPublic: boolean;
  isNamed: boolean;
  isEncrypted: boolean;
  space: number | null;
  own: { min_lifetime?: number; max_lifetime?: number } | null;
}

interface EventOf {
  nid: number;
  room: RoomOf;
  ts: number;
  isPastState: boolean;
  isCurrent: boolean;
  /** What it replaces. */
  target: EventOf | null;
}

/** An edit of an edit is none. */
const isReplaceable = (event: EventOf | null): boolean =>
  event !== null && !event.isPastState && event.target === null;

describe("retention of many rooms", () => {
  const server = useServer();

  it("G6: a tick leaves nothing overdue and takes nothing early, by whichever policies and clock", async () => {
    const { sql } = server.database;
    const random = seededRandom(20_261_127);
    const begun = Date.now() - 400 * DAY_MS;
    const lifetime = () => (1 + random.below(200)) * DAY_MS;
    const bounds = (): Bounds => {
      const [a, b] = [lifetime(), lifetime()].sort((x, y) => x - y);
      return {
        min: random.chance(0.3) ? a! : null,
        max: random.chance(0.85) ? b! : null,
      };
    };

    const policies = new Map<string, Bounds>();
    const addPolicy = (kind: string, id: string) => {
      const of = bounds();
      policies.set(`${kind} ${id}`, of);
      return {
        policy_id: `p${policies.size}`,
        active: JSON.stringify({
          scope: { kind, ...(id && { id }) },
          ...(of.min !== null && { min_lifetime: of.min }),
          ...(of.max !== null && { max_lifetime: of.max }),
        }),
      };
    };
    const rooms: RoomOf[] = Array.from({ length: ROOMS }, (_, i) => ({
      nid: 10_000_001 + i,
      id: `!r${i}:test`,
      isPublic: random.chance(0.3),
      isNamed: random.chance(0.5),
      isEncrypted: random.chance(0.3),
      space: random.chance(0.2) ? random.below(SPACES) : null,
      own: random.chance(0.3)
        ? {
            ...(random.chance(0.5) && { min_lifetime: lifetime() }),
            ...(random.chance(0.8) && { max_lifetime: lifetime() }),
          }
        : null,
    }));
    const spaceId = (space: number) => `!s${space}:test`;
    const rows = [
      addPolicy("server", ""),
      ...["public", "direct", "encrypted"].map((id) => addPolicy("class", id)),
      ...Array.from({ length: SPACES }, (_, i) =>
        addPolicy("space", spaceId(i)),
      ),
      ...rooms
        .filter(() => random.chance(0.2))
        .map(({ id }) => addPolicy("room", id)),
    ];
    await sql`
      insert into retention_policies (policy_id, draft, active, active_version, in_force_ts, changed_by, changed_ts)
      select policy_id, active, active, 1, database_ms(), '@a:test', 0
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(policy_id text, active text)`;

    // What each event's time is, and what stands in current state.
    const events: EventOf[] = [];
    const stored: object[] = [];
    let nid = 30_000_000;
    const store = (
      room: { nid: number },
      fields: {
        ts: number;
        received?: number;
        type?: string;
        stateKey?: string;
        content?: object;
        isCurrent?: boolean;
        replaces?: number;
      },
    ) => {
      nid += 1;
      const { ts, received = ts, type = "m.room.message" } = fields;
      stored.push({
        ...{ nid, room_nid: room.nid, ts, received, type },
        state_key: fields.stateKey ?? null,
        is_current: fields.isCurrent ?? false,
        replaces: fields.replaces ?? null,
        skeleton: JSON.stringify({
          ...{ content: fields.content ?? {}, type, sender: "@a:test" },
          ...{ origin_server_ts: ts, state_key: fields.stateKey },
        }),
      });
      return nid;
    };
    const roomRows = [
      ...rooms.map(({ nid: room, id }) => ({ nid: room, id })),
      ...Array.from({ length: SPACES }, (_, i) => ({
        nid: 20_000_000 + i,
        id: spaceId(i),
      })),
    ];
    for (const room of rooms) {
      const state = (type: string, content: object, stateKey = "") =>
        store(room, { ts: begun, type, stateKey, content, isCurrent: true });
      state("m.room.create", {});
      if (room.isPublic) state("m.room.join_rules", { join_rule: "public" });
      if (room.isNamed) state("m.room.name", { name: "n" });
      if (room.isEncrypted) state("m.room.encryption", { algorithm: "m" });
      if (room.own) state("m.room.retention", room.own);
      if (room.space !== null) {
        const via = { via: ["test"] };
        state("m.space.parent", via, spaceId(room.space));
        store(
          { nid: 20_000_000 + room.space },
          {
            ...{ ts: begun, type: "m.space.child", stateKey: room.id },
            ...{ content: via, isCurrent: true },
          },
        );
      }
      let last: EventOf | null = null;
      for (let i = 0; i < EVENTS_A_ROOM; i += 1) {
        const ts = begun + random.below(400) * DAY_MS;
        // Another server may say any time.
        const skew = random.chance(0.1)
          ? (random.below(200) - 100) * DAY_MS
          : 0;
        const isPastState = random.chance(0.15);
        const target: EventOf | null =
          !isPastState && isReplaceable(last) && random.chance(0.15)
            ? last
            : null;
        const of: EventOf = {
          ...{ room, isPastState, isCurrent: false, target },
          ts: Math.min(ts, ts + skew),
          nid: store(room, {
            ...{ ts: ts + skew, received: ts },
            ...(isPastState && { type: "m.room.topic", stateKey: "" }),
            ...(target && { replaces: target.nid }),
          }),
        };
        events.push(of);
        last = of;
      }
      events.push({
        ...{ room, ts: begun, isPastState: false, isCurrent: true },
        target: null,
        nid: store(room, {
          ...{ ts: begun, type: "m.room.topic", stateKey: "" },
          isCurrent: true,
        }),
      });
    }
    await sql`
      insert into rooms (room_nid, room_id, room_version, created_ts)
      select nid, id, '12', 1 from jsonb_to_recordset(${JSON.stringify(roomRows)}::text::jsonb) as r(nid bigint, id text)`;
    await sql`
      insert into events (nid, room_nid, position, depth, arrival, origin_server_ts, received_ts, event_id, type, state_key,
        sender, rel_type, relates_to, skeleton)
      select nid, room_nid, nid, 1, nid, ts, received, '$e' || nid, type, state_key, '@a:test',
        case when replaces is not null then 'm.replace' end, '$e' || replaces, skeleton
      from jsonb_to_recordset(${JSON.stringify(stored)}::text::jsonb)
        as r(nid bigint, room_nid bigint, ts bigint, received bigint, type text, state_key text, replaces bigint, skeleton text)`;
    await sql`
      insert into event_contents (nid, first_key, second_key, sealed) select nid, 0, 0, '{}'::bytea from events
      where type in ('m.room.message', 'm.room.topic')`;
    await sql`
      insert into current_state (room_nid, type, state_key, nid)
      select room_nid, type, state_key, nid
      from jsonb_to_recordset(${JSON.stringify(stored)}::text::jsonb)
        as r(nid bigint, room_nid bigint, type text, state_key text, is_current boolean)
      where is_current`;

    // The oracle: the policies as the documentation says them.
    const lifetimeOf = (room: RoomOf): number => {
      const names = [
        `room ${room.id}`,
        ...(room.space === null ? [] : [`space ${spaceId(room.space)}`]),
        ...(!room.isPublic && !room.isNamed ? ["class direct"] : []),
        ...(room.isEncrypted ? ["class encrypted"] : []),
        ...(room.isPublic ? ["class public"] : []),
        "server ",
      ];
      const { min, max } = policies.get(names.find((n) => policies.has(n))!)!;
      const top = max ?? Infinity;
      let { min_lifetime: least = 0, max_lifetime: most = Infinity } =
        room.own ?? {};
      if (least > most) [least, most] = [0, Infinity];
      const asked = Math.max(least, Math.min(most, top));
      return Math.min(Math.max(asked, min ?? 0), top);
    };
    const isOver = ({ ts, room, isCurrent }: EventOf, clock: number) =>
      !isCurrent && ts <= clock - lifetimeOf(room);
    const gone = new Set<number>();

    for (const days of [30, 120, 121, 300, 400]) {
      const clock = begun + days * DAY_MS;
      const now = () => clock;
      const edges = derive(server.edges, { now });
      await tick({ edges });
      while (await runTask(edges));
      const left = new Set(
        (await sql<{ nid: number }[]>`select nid from event_contents`).map(
          (row) => row.nid,
        ),
      );
      const before = new Set(gone);
      for (const event of events) {
        const isDue =
          isOver(event, clock) ||
          // An edit goes with what it replaces, when that goes.
          (event.target !== null &&
            !before.has(event.target.nid) &&
            isOver(event.target, clock));
        const was = before.has(event.nid);
        if (isDue) gone.add(event.nid);
        if (was || isDue)
          expect(left.has(event.nid), "overdue").to.equal(false);
        else expect(left.has(event.nid), "early").to.equal(true);
      }
    }
    expect(gone.size).to.be.above(events.length / 4);
    expect(gone.size).to.be.below(events.length);
  }).timeout(180_000);
});
