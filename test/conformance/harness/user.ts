import { Client, path } from "./client.ts";
import { text, type JsonObject } from "./json.ts";

/** How long one long poll may wait, and how many of them one wait for something may take. */
const POLL_MS = 4_000;
const POLLS = 40;
const WAIT_MS = 20_000;
const SETTLE_MS = 5_000;

export interface SyncQuery {
  since?: string | undefined;
  timeout?: number;
  /** A filter's id, or the filter itself. */
  filter?: string | JsonObject;
  full_state?: boolean;
  set_presence?: "online" | "offline" | "unavailable";
  use_state_after?: boolean;
}

export interface Credentials {
  userId: string;
  token: string;
  deviceId: string;
  password: string;
}

/** One logged-in device of one account. */
export class User extends Client {
  readonly userId: string;
  readonly deviceId: string;
  readonly password: string;
  private txns = 0;

  constructor(baseUrl: string, credentials: Credentials) {
    super(baseUrl, credentials.token);
    this.userId = credentials.userId;
    this.deviceId = credentials.deviceId;
    this.password = credentials.password;
  }

  get localpart(): string {
    return this.userId.slice(1, this.userId.indexOf(":"));
  }

  get serverName(): string {
    return this.userId.slice(this.userId.indexOf(":") + 1);
  }

  get accessToken(): string {
    return this.token ?? "";
  }

  nextTxn(): string {
    this.txns += 1;
    return `txn-${this.deviceId}-${this.txns}`;
  }

  /** One sync, which must succeed; without `timeout` it returns at once. */
  sync(query: SyncQuery = {}): Promise<JsonObject> {
    const { filter, ...rest } = query;
    const inline = typeof filter === "object" ? JSON.stringify(filter) : filter;
    return this.mustGet("/sync", { timeout: 0, ...rest, filter: inline });
  }

  /** The token of an up-to-date sync. */
  async syncToken(): Promise<string> {
    return text(await this.sync(), "next_batch");
  }

  /**
   * Syncs, from `since` or from the beginning, until one answer satisfies `found`, and returns that answer.
   * It waits by the server's long poll alone and gives up with what it last saw. A longer
   * `timeout` than the usual one tells a server that wakes the poll from one that lets it run out.
   */
  async syncUntil(
    found: (sync: JsonObject) => boolean,
    query: SyncQuery = {},
  ): Promise<JsonObject> {
    const deadline = Date.now() + WAIT_MS;
    let since = query.since;
    let last: JsonObject = {};
    for (let poll = 0; poll < POLLS && Date.now() < deadline; poll++) {
      last = await this.sync({ timeout: POLL_MS, ...query, since });
      if (found(last)) return last;
      since = text(last, "next_batch");
    }
    const shown = JSON.stringify(last).slice(0, 1_000);
    throw new Error(`${this.userId} never saw it in sync; last: ${shown}`);
  }

  /**
   * Asks until the answer is as wanted, and returns the last one: for what a server may do a moment later.
   * Between the asks it waits in short long polls.
   */
  async until<T>(
    ask: () => Promise<T>,
    isWanted: (answer: T) => boolean,
  ): Promise<T> {
    const deadline = Date.now() + SETTLE_MS;
    let answer = await ask();
    let since: string | undefined;
    while (!isWanted(answer) && Date.now() < deadline) {
      const sync = await this.sync({ since, timeout: 100 });
      since = text(sync, "next_batch");
      answer = await ask();
    }
    return answer;
  }

  async createRoom(body: JsonObject = {}): Promise<string> {
    return text(await this.mustPost("/createRoom", body), "room_id");
  }

  async join(roomIdOrAlias: string): Promise<string> {
    const body = await this.mustPost(path`/join/${roomIdOrAlias}`);
    return text(body, "room_id");
  }

  async leave(roomId: string): Promise<void> {
    await this.mustPost(path`/rooms/${roomId}/leave`);
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.mustPost(path`/rooms/${roomId}/invite`, { user_id: userId });
  }

  /** Sends a message event and returns its id. */
  async send(
    roomId: string,
    type: string,
    content: JsonObject,
    txnId = this.nextTxn(),
  ): Promise<string> {
    const target = path`/rooms/${roomId}/send/${type}/${txnId}`;
    return text(await this.mustPut(target, content), "event_id");
  }

  sendText(roomId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.text", body });
  }

  /** Sends a state event and returns its id. */
  async sendState(
    roomId: string,
    type: string,
    stateKey: string,
    content: JsonObject,
  ): Promise<string> {
    const target = path`/rooms/${roomId}/state/${type}/${stateKey}`;
    return text(await this.mustPut(target, content), "event_id");
  }

  /** The content of one current state event. */
  getState(roomId: string, type: string, stateKey = ""): Promise<JsonObject> {
    return this.mustGet(path`/rooms/${roomId}/state/${type}/${stateKey}`);
  }
}
