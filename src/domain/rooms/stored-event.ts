import { openClientText } from "../../core/client-event.ts";
import type { Pdu } from "../../core/event.ts";
import { mergeEvent } from "../../core/event-parts.ts";
import type { EventHead } from "../../storage/events.ts";
import { unescapeText } from "../../storage/json-text.ts";
import type { RoomIdentity } from "./room-identity.ts";

/**
 * An event, opened. It holds its canonical JSON, the redacted form where it was redacted,
 * its keys destroyed or its content damaged, and reads that when it is asked for.
 */
export class StoredEvent implements Omit<EventHead, "type" | "stateKey"> {
  readonly nid;
  readonly roomNid;
  readonly eventId;
  readonly position;
  readonly depth;
  readonly arrival;
  readonly originServerTs;
  readonly receivedTs;
  readonly snapshotId;
  readonly snapshotAfter;
  readonly replacesNid;
  readonly redactedBy;
  readonly status;
  readonly type: string;
  readonly stateKey: string | null;
  readonly sender;
  readonly deviceId;
  readonly txnId;
  readonly redacts;
  readonly relType;
  readonly relatesTo;
  readonly thread;
  readonly room: RoomIdentity;
  readonly #head: EventHead;
  readonly #text: string;
  #pdu: Pdu | undefined;
  #clientJson: string | undefined;

  constructor(head: EventHead, room: RoomIdentity, text: string) {
    this.nid = head.nid;
    this.roomNid = head.roomNid;
    this.eventId = head.eventId;
    this.position = head.position;
    this.depth = head.depth;
    this.arrival = head.arrival;
    this.originServerTs = head.originServerTs;
    this.receivedTs = head.receivedTs;
    this.snapshotId = head.snapshotId;
    this.snapshotAfter = head.snapshotAfter;
    this.replacesNid = head.replacesNid;
    this.redactedBy = head.redactedBy;
    this.status = head.status;
    this.type = unescapeText(head.type);
    this.stateKey = head.stateKey === null ? null : unescapeText(head.stateKey);
    this.sender = head.sender;
    this.deviceId = head.deviceId;
    this.txnId = head.txnId;
    this.redacts = head.redacts;
    this.relType = head.relType;
    this.relatesTo = head.relatesTo;
    this.thread = head.thread;
    this.room = room;
    this.#head = head;
    this.#text = text;
  }

  get pdu(): Pdu {
    return (this.#pdu ??= mergeEvent(this.#text, null));
  }

  /** The event for clients, without `room_id`, `unsigned` and the closing brace. */
  get clientJson(): string {
    return (this.#clientJson ??= openClientText(
      this.room.rules,
      this.eventId,
      this.#text,
    ));
  }

  /** The same event with another text. */
  withText(text: string): StoredEvent {
    return new StoredEvent(this.#head, this.room, text);
  }
}
