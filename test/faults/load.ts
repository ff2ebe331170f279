import { setTimeout as pause } from "node:timers/promises";
import { checkLedger, type Truth } from "./check-ledger.ts";
import { Client } from "./client.ts";
import { Ledger } from "./ledger.ts";
import { pageBack } from "./paging.ts";
import { tell, type Outcome } from "./proof.ts";
import type { Chance } from "./random.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

export interface LoadOptions {
  writers?: number;
  readers?: number;
  rooms?: number;
  sendsOf10?: number;
  /** Between two things that a writer does, at most. */
  pauseMs?: number;
}

const POWER = { state_default: 0, events_default: 0, users_default: 0 };

/** Writers and readers that go on through whatever happens to the server. */
export class Load {
  readonly ledger = new Ledger();
  readonly #chance: Chance;
  readonly #options: Required<LoadOptions>;
  readonly #server: { readonly url: string };
  readonly #faults: string[] = [];
  readonly #before = new Set<string>();
  #writers: Writer[] = [];
  #readers: Reader[] = [];
  #clients: Client[] = [];
  #rooms: string[] = [];
  #isWriting = false;
  #isReading = false;
  #running: Promise<unknown> = Promise.resolve();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(
    server: { readonly url: string },
    chance: Chance,
    options: LoadOptions = {},
  ) {
    this.#server = server;
    this.#chance = chance;
    this.#options = {
      writers: 6,
      readers: 3,
      rooms: 3,
      sendsOf10: 5,
      pauseMs: 10,
      ...options,
    };
  }

  get rooms(): readonly string[] {
    return this.#rooms;
  }

  /** Accounts and rooms, before anything is broken. */
  async prepare(): Promise<void> {
    const { writers, readers, rooms, sendsOf10 } = this.#options;
    const register = (name: string) => new Client(this.#server).register(name);
    const names = (word: string, count: number) =>
      Array.from({ length: count }, (_, i) => `${word}${i}`);
    const owner = await register("owner");
    this.#clients = await Promise.all(names("writer", writers).map(register));
    const followers = await Promise.all(names("reader", readers).map(register));
    for (const name of names("room", rooms)) {
      const body = await owner.must("POST", "/createRoom", {
        name,
        preset: "public_chat",
        power_level_content_override: POWER,
      });
      this.#rooms.push(String(body["room_id"]));
    }
    for (const client of [...this.#clients, ...followers])
      for (const roomId of this.#rooms)
        await client.must("POST", `/join/${encodeURIComponent(roomId)}`, {});
    owner.close();

    const { ledger } = this;
    this.#readers = followers.map(
      (client, i) => new Reader(client, i === 0 ? 2 : 10 + 40 * (i % 2)),
    );
    this.#writers = this.#clients.map(
      (client) =>
        new Writer({
          client,
          chance: this.#chance,
          ledger,
          rooms: this.#rooms,
          recipients: followers,
          sendsOf10,
        }),
    );
    for (const roomId of this.#rooms)
      for (const event of await pageBack(followers[0]!, roomId))
        this.#before.add(event.event_id);
    for (const reader of this.#readers) await reader.begin();
  }

  start(): void {
    this.#isWriting = true;
    this.#isReading = true;
    this.#running = Promise.all(this.#writers.map((one) => this.#write(one)));
    this.#reading = Promise.all(this.#readers.map((one) => this.#read(one)));
  }

  /** After a failure: all stop at their next step. */
  abandon(): void {
    this.#isWriting = false;
    this.#isReading = false;
    for (const client of this.#allClients()) client.abandon();
  }

  /** Resolves when so many more things were acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.ledger.count + count;
    const end = performance.now() + 90_000;
    while (this.ledger.count < goal && this.#faults.length === 0) {
      if (performance.now() > end) throw new Error("Nothing is acknowledged.");
      await pause(5);
    }
  }

  /** Lets all finish what they began, reads to the end, and compares. */
  async finish(): Promise<Outcome> {
    this.#isWriting = false;
    await this.#running;
    this.#isReading = false;
    await this.#reading;
    const truth = await this.#readTruth();
    const claims = checkLedger(this.ledger, this.#readers, truth);
    for (const client of this.#allClients()) client.close();
    const { ledger } = this;
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    return {
      counts: {
        acknowledged: ledger.count,
        sends: ledger.sent.length,
        "to-device messages": ledger.deviceMessages.length,
        "one-time keys": sum([...ledger.keys.values()].map((k) => k.length)),
        syncs: sum(this.#readers.map(({ syncs }) => syncs)),
        "limited syncs": sum(this.#readers.map((r) => r.limitedSyncs)),
        "requests tried again": sum(
          this.#allClients().map(({ retries }) => retries),
        ),
      },
      claims: {
        "every request was answered in the end": tell(this.#faults),
        ...claims,
      },
    };
  }

  #allClients(): Client[] {
    return [...this.#clients, ...this.#readers.map(({ client }) => client)];
  }

  async #write(writer: Writer): Promise<void> {
    try {
      while (this.#isWriting) {
        await writer.write();
        await pause(this.#chance.below(this.#options.pauseMs + 1));
      }
    } catch (error) {
      this.#faults.push(String(error));
    }
  }

  async #read(reader: Reader): Promise<void> {
    try {
      while (this.#isReading) await reader.follow();
      while (await reader.follow(0));
    } catch (error) {
      this.#faults.push(String(error));
    }
  }

  async #readTruth(): Promise<Truth> {
    const [{ client }] = this.#readers as [Reader];
    const events: Truth["events"] = new Map();
    for (const roomId of this.#rooms) {
      const all = (await pageBack(client, roomId)).reverse();
      events.set(
        roomId,
        all.filter((event) => !this.#before.has(event.event_id)),
      );
    }
    return {
      events,
      receipts: await readReceipts(client),
      accountData: await this.#readAccountData(),
      states: await this.#readStates(client),
      keys: await this.#claimKeys(client),
    };
  }

  async #readAccountData(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const client of this.#clients) {
      if (!this.ledger.accountData.has(client.userId)) continue;
      const owner = encodeURIComponent(client.userId);
      const place = `/user/${owner}/account_data/m.fault`;
      const { number } = await client.must("GET", place);
      found.set(client.userId, Number(number));
    }
    return found;
  }

  async #readStates(client: Client): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const place of this.ledger.states.keys()) {
      const [roomId = "", key = ""] = place.split(" ");
      const room = encodeURIComponent(roomId);
      const path = `/rooms/${room}/state/m.fault/${key}`;
      found.set(place, Number((await client.must("GET", path))["number"]));
    }
    return found;
  }

  /** Claims one key after the other until there is none. */
  async #claimKeys(client: Client): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    for (const { userId, deviceId } of this.#clients) {
      const ids: string[] = [];
      for (;;) {
        const { one_time_keys: keys } = (await client.must(
          "POST",
          "/keys/claim",
          { one_time_keys: { [userId]: { [deviceId]: "m_fault" } } },
        )) as { one_time_keys: Record<string, Record<string, object>> };
        const claimed = Object.keys(keys[userId]?.[deviceId] ?? {});
        if (claimed.length === 0) break;
        ids.push(...claimed);
      }
      found.set(userId, ids);
    }
    return found;
  }
}

interface ReceiptEvent {
  type: string;
  content: Record<string, { "m.read"?: Record<string, object> }>;
}

/** What a first sync tells: room and user → event. */
async function readReceipts(client: Client): Promise<Map<string, string>> {
  const answer = await client.must("GET", "/sync?set_presence=offline");
  const { join } = answer["rooms"] as {
    join: Record<string, { ephemeral: { events: ReceiptEvent[] } }>;
  };
  const found = new Map<string, string>();
  for (const [roomId, { ephemeral }] of Object.entries(join))
    for (const { type, content } of ephemeral.events)
      if (type === "m.receipt")
        for (const [eventId, receipts] of Object.entries(content))
          for (const userId of Object.keys(receipts["m.read"] ?? {}))
            found.set(`${roomId} ${userId}`, eventId);
  return found;
}
