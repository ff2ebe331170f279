import type { Edges } from "../../edges.ts";
import type { StateLookup } from "../../core/auth/check.ts";
import { strippedStateEvent } from "../../core/client-event.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { KeyHandle } from "../../storage/keyring.ts";
import type { WriteRows } from "../../storage/write.ts";
import { assertInvitable } from "../accounts/invite-permission.ts";
import { isLocalUser } from "./local-user.ts";
import { readMemberProfiles } from "./member-profiles.ts";
import type { BuiltEvent, Proposal } from "./proposal.ts";

/** What of a room's state someone outside of it is shown. */
export const STRIPPED_TYPES = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.name",
  "m.room.encryption",
  "m.room.topic",
];

type Needs = Pick<Edges, "db" | "keyring" | "settings">;

/**
 * Invites of users of this server. Throws before anything is written where one
 * is of another server, which cannot be reached, or wants no invites.
 */
export async function inviteProposals(
  edges: Needs,
  sender: string,
  userIds: readonly string[],
  content: JsonObject,
): Promise<Proposal[]> {
  if (!userIds.every((userId) => isLocalUser(edges.settings, userId))) {
    throw new MatrixError(
      "M_CONNECTION_FAILED",
      "The server of that user cannot be reached.",
    );
  }
  const seen = await assertInvitable(edges, sender, userIds);
  const profileOf = await readMemberProfiles(edges, userIds);
  const keys = await userKeys(edges, userIds);
  return userIds.map((userId, i) => ({
    draft: {
      type: "m.room.member",
      sender,
      stateKey: userId,
      content: { ...profileOf(userId), ...content, membership: "invite" },
    },
    ...invitedBy(seen[i]!, strippedFor(edges, userId, sender, keys[i]!)),
  }));
}

/** The commit compares what was seen of the user's permissions: see `makeAnew`. */
const invitedBy = (
  seen: number,
  { reads, extra }: ReturnType<typeof strippedFor>,
): ReturnType<typeof strippedFor> => ({
  reads,
  extra: (event, at, state) => ({
    ...extra(event, at, state),
    inviteGrounds: [{ userId: event.pdu.state_key!, seen }],
  }),
});

/** The same stripped state for one who knocks. */
export async function knockExtra(
  edges: Needs,
  userId: string,
): Promise<Pick<Proposal, "reads" | "extra">> {
  const [key] = await userKeys(edges, [userId]);
  return strippedFor(edges, userId, userId, key!);
}

export const strippedContext = (userId: string): string =>
  `stripped_states.sealed ${userId}`;

export const userKeys = ({ keyring }: Needs, userIds: readonly string[]) =>
  keyring.prepare(
    userIds.map((owner) => ({ scope: "user" as const, owner, span: "" })),
  );

/**
 * The stripped state for an invite or a knock, kept for the user's syncs: they
 * may not read the room. Sealed under that user's key.
 * https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export const strippedFor = (
  { keyring }: Needs,
  userId: string,
  sender: string,
  key: KeyHandle,
): Required<Pick<Proposal, "reads" | "extra">> => ({
  reads: [
    ...STRIPPED_TYPES.map((type) => [type, ""] as const),
    ["m.room.member", sender],
  ],
  extra: (event, _at, state): Partial<WriteRows> => {
    const text = JSON.stringify(strippedEvents(event, state));
    const context = strippedContext(userId);
    const { firstKey: keyId, sealed } = keyring.seal(text, context, key);
    const { roomNid } = event;
    return { strippedStates: [{ userId, roomNid, keyId, sealed }] };
  },
});

const strippedEvents = (event: BuiltEvent, state: StateLookup): JsonObject[] =>
  [
    ...STRIPPED_TYPES.map((type) => state(type, "")?.pdu),
    event.pdu.sender === event.pdu.state_key
      ? undefined
      : state("m.room.member", event.pdu.sender)?.pdu,
    event.pdu,
  ].flatMap((pdu) => (pdu ? [strippedStateEvent(pdu)] : []));
