import type { Edges } from "../../edges.ts";
import type { StateLookup } from "../../core/auth/check.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { BuiltEvent, EventDraft } from "./proposal.ts";

/** What of a room's state someone outside of it is shown. */
const STRIPPED_TYPES = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.name",
  "m.room.encryption",
  "m.room.topic",
];

export const inviteDraft = (
  sender: string,
  userId: string,
  profile: JsonObject,
  content: JsonObject,
): EventDraft => ({
  type: "m.room.member",
  sender,
  stateKey: userId,
  content: { ...profile, ...content, membership: "invite" },
});

/**
 * The stripped state for an invite or a knock, kept for the user's syncs: they
 * may not read the room. Sealed under that user's key.
 * https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export async function strippedStateFor(edges: Pick<Edges, "keyring">, userId: string) {
  const [key] = await edges.keyring.prepare([{ scope: "user", owner: userId, span: "" }]);
  return {
    reads: (sender: string): (readonly [string, string])[] => [
      ...STRIPPED_TYPES.map((type) => [type, ""] as const),
      ["m.room.member", sender] as const,
    ],
    rows: (event: BuiltEvent, state: StateLookup): Partial<WriteRows> => {
      const { roomNid, events } = collect(event, state);
      const { firstKey, sealed } = edges.keyring.seal(
        JSON.stringify(events),
        strippedContext(userId),
        key!,
      );
      return { strippedStates: [{ userId, roomNid, keyId: firstKey, sealed }] };
    },
  };
}

export const strippedContext = (userId: string): string => `stripped_states.sealed ${userId}`;

function collect(event: BuiltEvent, state: StateLookup): { roomNid: number; events: JsonValue[] } {
  const standing = [
    ...STRIPPED_TYPES.map((type) => state(type, "")?.pdu),
    state("m.room.member", event.pdu.sender)?.pdu,
    event.pdu,
  ];
  const events = standing.flatMap((pdu) =>
    pdu
      ? [{ type: pdu.type, sender: pdu.sender, state_key: pdu.state_key ?? "", content: pdu.content }]
      : [],
  );
  return { roomNid: event.roomNid, events };
}
