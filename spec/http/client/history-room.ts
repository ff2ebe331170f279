import fc from "fast-check";
import { relatesTo } from "../../support/relations.ts";
import {
  makePublicRoom,
  must,
  pageThrough,
  path,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import type { Json, TestClient } from "../../support/server.ts";

export type HistoryClient = Pick<TestClient, "get" | "post" | "put"> & {
  userId: string;
};

/** Something that one of Alice's guests does, or that she does to one. */
type Step =
  | { what: "join" | "leave" | "forget" | "say" | "rename"; who: number }
  | { what: "invite" | "kick" | "ban" | "unban"; who: number }
  | { what: "visibility"; value: string }
  | { what: "rule"; value: string }
  | { what: "topic" };

export const GUESTS = 3;

const who = fc.nat(GUESTS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("join"), who }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("leave"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("forget"), who }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("say"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("rename"), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom("invite", "kick", "ban", "unban"),
      who,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("visibility"),
      value: fc.constantFrom(
        "world_readable",
        "shared",
        "invited",
        "joined",
        "of no kind",
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("rule"),
      value: fc.constantFrom("public", "invite", "knock"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("topic") }) },
) as fc.Arbitrary<Step>;

export const steps: fc.Arbitrary<Step[]> = fc.array(step, {
  minLength: 20,
  maxLength: 60,
});

export interface HistoryRoom {
  roomId: string;
  /** The last member event of those who forgot the room, by user. */
  forgotten: ReadonlyMap<string, string>;
  /** All of it, as its owner reads it, who was always in it. */
  events: RoomEvent[];
  /** Messages that others may answer in a thread. */
  roots: readonly string[];
}

/** A room of the owner's in which all this has happened, as far as it was let. */
export async function playRoom(
  owner: HistoryClient,
  guests: readonly HistoryClient[],
  script: readonly Step[],
): Promise<HistoryRoom> {
  const roomId = await makePublicRoom(owner);
  const forgotten = new Map<string, string>();
  const roots: string[] = [];
  for (const [at, made] of script.entries())
    await take(owner, guests, roomId, made, at, { forgotten, roots });
  const asked = { dir: "f", limit: 50 };
  const events = await pageThrough(owner, roomId, asked);
  return { roomId, forgotten, events, roots };
}

/** Does it, if the room lets them; notes the membership with which a guest forgot the room. */
async function take(
  owner: HistoryClient,
  guests: readonly HistoryClient[],
  roomId: string,
  made: Step,
  at: number,
  { forgotten, roots }: { forgotten: Map<string, string>; roots: string[] },
): Promise<void> {
  const state = (user: HistoryClient, type: string, content: Json, key = "") =>
    user.put(path`/rooms/${roomId}/state/${type}/${key}`, content);
  if (made.what === "visibility") {
    const history_visibility = made.value;
    await state(owner, "m.room.history_visibility", { history_visibility });
    return;
  }
  if (made.what === "rule") {
    await state(owner, "m.room.join_rules", { join_rule: made.value });
    return;
  }
  if (made.what === "topic") {
    await state(owner, "m.room.topic", { topic: `${at}` });
    return;
  }
  const guest = guests[made.who]!;
  if (made.what === "say") {
    const target = path`/rooms/${roomId}/send/m.room.message/${`${at}`}`;
    const root = at % 3 === 0 ? undefined : roots[at % roots.length];
    const relation = root === undefined ? {} : relatesTo("m.thread", root);
    for (const user of [owner, guest]) {
      const content = { body: `a word, the ${at}th`, ...relation };
      const { body } = await user.put(target, content);
      if (root === undefined && body["event_id"] !== undefined)
        roots.push(String(body["event_id"]));
    }
    return;
  }
  if (made.what === "rename") {
    const content = { membership: "join", displayname: `${at}` };
    const target = path`/rooms/${roomId}/joined_members`;
    const isIn = (await guest.get(target)).status === 200;
    if (isIn) await state(guest, "m.room.member", content, guest.userId);
    return;
  }
  const isOwn = ["join", "leave", "forget"].includes(made.what);
  const answer = await (isOwn ? guest : owner).post(
    `${path`/rooms/${roomId}/`}${made.what}`,
    isOwn ? {} : { user_id: guest.userId },
  );
  if (answer.status !== 200 || made.what !== "forget") return;
  const target = path`/rooms/${roomId}/state/m.room.member/${guest.userId}`;
  const member = must(await owner.get(`${target}?format=event`));
  forgotten.set(guest.userId, member["event_id"] as string);
}
