import type { Client } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import type { Chance } from "./random.ts";

export interface WriterOptions {
  client: Client;
  chance: Chance;
  ledger: Ledger;
  rooms: readonly string[];
  /** Whom it sends messages from device to device. */
  recipients: readonly { userId: string; deviceId: string }[];
  /** Of all, messages come so often. */
  sendsOf10?: number;
}

const path = encodeURIComponent;

/** A client that does one thing after the other and asks again until each is acknowledged. */
export class Writer {
  readonly #options: WriterOptions;
  #number = 0;
  readonly #lastIn = new Map<string, string>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  async write(): Promise<void> {
    const { chance, ledger, sendsOf10 = 5 } = this.#options;
    this.#number += 1;
    const roll = chance.below(10);
    if (roll < sendsOf10) await this.#send();
    else
      await chance.pick([
        () => this.#tell(),
        () => this.#read(),
        () => this.#store(),
        () => this.#setState(),
        () => this.#uploadKey(),
      ])();
    ledger.count += 1;
  }

  async #send(): Promise<void> {
    const { client, chance, ledger, rooms } = this.#options;
    const roomId = chance.pick(rooms);
    const number = this.#number;
    const { event_id: eventId } = await client.must(
      "PUT",
      `/rooms/${path(roomId)}/send/m.room.message/t${number}`,
      { msgtype: "m.text", body: `message ${number}`, number },
    );
    this.#lastIn.set(roomId, String(eventId));
    const sender = client.userId;
    ledger.sent.push({ sender, roomId, eventId: String(eventId), number });
  }

  async #tell(): Promise<void> {
    const { client, chance, ledger, recipients } = this.#options;
    const { userId, deviceId } = chance.pick(recipients);
    const number = this.#number;
    await client.must("PUT", `/sendToDevice/m.fault/t${number}`, {
      messages: { [userId]: { [deviceId]: { number } } },
    });
    const sender = client.userId;
    ledger.deviceMessages.push({ sender, recipient: userId, number });
  }

  async #read(): Promise<void> {
    const { client, chance, ledger } = this.#options;
    const rooms = [...this.#lastIn.keys()];
    if (rooms.length === 0) return;
    const roomId = chance.pick(rooms);
    const eventId = this.#lastIn.get(roomId)!;
    const place = `/rooms/${path(roomId)}/receipt/m.read/${path(eventId)}`;
    await client.must("POST", place, {});
    ledger.receipts.set(`${roomId} ${client.userId}`, eventId);
  }

  async #store(): Promise<void> {
    const { client, ledger } = this.#options;
    const number = this.#number;
    const owner = path(client.userId);
    await client.must("PUT", `/user/${owner}/account_data/m.fault`, { number });
    ledger.accountData.set(client.userId, number);
  }

  async #setState(): Promise<void> {
    const { client, chance, ledger, rooms } = this.#options;
    const roomId = chance.pick(rooms);
    const number = this.#number;
    const place = `/rooms/${path(roomId)}/state/m.fault/${client.deviceId}`;
    await client.must("PUT", place, { number });
    ledger.states.set(`${roomId} ${client.deviceId}`, number);
  }

  async #uploadKey(): Promise<void> {
    const { client, ledger } = this.#options;
    const keyId = `m_fault:${this.#number}`;
    await client.must("POST", "/keys/upload", {
      one_time_keys: { [keyId]: `key ${this.#number}` },
    });
    const { userId } = client;
    ledger.keys.set(userId, [...(ledger.keys.get(userId) ?? []), keyId]);
  }
}
