import type { Pdu } from "../../core/event.ts";
import type { JsonObject } from "../../core/json.ts";
import type { StateLookup } from "../../core/auth/check.ts";
import type { WriteRows } from "../../storage/write.ts";

/** What a use-case wants to say in a room; the writer makes the event of it. */
export interface EventDraft {
  type: string;
  sender: string;
  /** Absent for message events. */
  stateKey?: string;
  content: JsonObject;
  redacts?: string;
  /** Now, unless said: a create event's time is part of its room's id. */
  originServerTs?: number;
}

/** An event made from a draft: built, allowed, not yet committed. */
export interface BuiltEvent {
  nid: number;
  roomNid: number;
  eventId: string;
  pdu: Pdu;
}

/** A client's transaction id, in the scope that makes it unique. */
export interface Transaction {
  deviceId: string;
  txnId: string;
  /** Hash of user, device, endpoint, room and transaction id. */
  key: Uint8Array;
}

/** The device of transactions that send delayed events; their ids are the delay ids. */
export const DELAYED = "";

export interface Proposal {
  draft: EventDraft;
  transaction?: Transaction;
  /** By which it is sent without a transaction, where the event has to tell. */
  deviceId?: string;
  /** Leaves the room as it is where the same state stands already. */
  skipUnchanged?: boolean;
  /** Entries of current state that `extra` looks at. */
  reads?: readonly (readonly [type: string, stateKey: string])[];
  /** Idempotency keys that `extra` needs unused: who loses one has to make it anew. */
  claims?: readonly Uint8Array[];
  /** Rows that commit with the event, at the event's place in the write. */
  extra?: (
    event: BuiltEvent,
    at: number,
    state: StateLookup,
  ) => Partial<WriteRows>;
}

export interface ProposalResult {
  eventId: string;
  /** Null where nothing new was written: an old transaction, or unchanged state. */
  position: number | null;
}
