import { EventEmitter } from "node:events";
import { IDBFactory } from "fake-indexeddb";
import type { AuthDict, MatrixClient, MatrixEvent, Room } from "matrix-js-sdk";
import { waitFor } from "../support/wait-for.ts";
import { loadSlidingSync, quietLogger, type Sdk } from "./sdk.ts";
import { Wire } from "./wire.ts";

interface Session {
  user_id: string;
  device_id: string;
  access_token: string;
}

/** Names of those of the client's events after which to look again for what is waited for. */
const NEWS = [
  "sync",
  "event",
  "accountData",
  "Room.timeline",
  "Room.receipt",
  "Event.decrypted",
  "Event.replaced",
  "crypto.devicesUpdated",
  "crypto.keysChanged",
  "userTrustStatusChanged",
] as const;

/** Some of what the SDK comes to know is told by no event of the client. */
const PULSE_MS = 100;

/** By sliding sync the SDK asks for new people's keys after the next answer only. */
const LONG_POLL_MS = 3000;

/** One person's device of matrix-js-sdk, whose stores outlive the client. */
export class SdkDevice {
  readonly #sdk: Sdk;
  readonly #baseUrl: string;
  readonly #indexedDB = new IDBFactory();
  readonly #session: Session;
  readonly password: string;
  readonly wire = new Wire();
  #client: MatrixClient | undefined;
  #slides = false;
  /** What the person has written down. */
  recoveryKey: Uint8Array | undefined;

  private constructor(
    sdk: Sdk,
    baseUrl: string,
    password: string,
    session: Session,
  ) {
    this.#sdk = sdk;
    this.#baseUrl = baseUrl;
    this.password = password;
    this.#session = session;
  }

  /** Registers by the stages that the server asks for. */
  static async register(
    sdk: Sdk,
    baseUrl: string,
    username: string,
    password = `the password of ${username}`,
  ): Promise<SdkDevice> {
    const client = sdk.createClient({ baseUrl, logger: quietLogger });
    const ask = (auth?: { type: string; session?: string }) =>
      client.registerRequest({ username, password, ...(auth && { auth }) });
    const session = await ask().catch((error: unknown) =>
      ask({ type: "m.login.dummy", ...sessionOf(error) }),
    );
    return new SdkDevice(sdk, baseUrl, password, session as Session);
  }

  /** Another device of the same person, with stores of its own. */
  static logIn(
    sdk: Sdk,
    baseUrl: string,
    { userId, password }: SdkDevice,
  ): Promise<SdkDevice> {
    return SdkDevice.logInAs(sdk, baseUrl, userId, password);
  }

  static async logInAs(
    sdk: Sdk,
    baseUrl: string,
    user: string,
    password: string,
  ): Promise<SdkDevice> {
    const client = sdk.createClient({ baseUrl, logger: quietLogger });
    const session = await client.loginRequest({
      type: "m.login.password",
      identifier: { type: "m.id.user", user },
      password,
    });
    return new SdkDevice(sdk, baseUrl, password, session as Session);
  }

  get userId(): string {
    return this.#session.user_id;
  }

  get deviceId(): string {
    return this.#session.device_id;
  }

  get client(): MatrixClient {
    if (!this.#client) throw new TypeError("not online");
    return this.#client;
  }

  get crypto() {
    const crypto = this.client.getCrypto();
    if (!crypto) throw new TypeError("no crypto");
    return crypto;
  }

  /** Opens the stores and syncs, from where this device was before. */
  async goOnline({
    slides = this.#slides,
    patienceMs = 20_000,
  } = {}): Promise<void> {
    this.#slides = slides;
    const { createClient, IndexedDBStore } = this.#sdk;
    // The SDK keeps every account's keys under one name, in the global factory.
    Object.assign(globalThis, { indexedDB: this.#indexedDB });
    const store = new IndexedDBStore({
      indexedDB: this.#indexedDB,
      dbName: "sync",
    });
    const client = createClient({
      baseUrl: this.#baseUrl,
      userId: this.userId,
      deviceId: this.deviceId,
      accessToken: this.#session.access_token,
      store,
      logger: quietLogger,
      fetchFn: this.wire.fetch,
      timelineSupport: true,
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) => {
          const [keyId] = Object.keys(keys);
          const { recoveryKey } = this;
          return keyId && recoveryKey ? [keyId, recoveryKey] : null;
        },
      },
    });
    await store.startup();
    await client.initRustCrypto();
    this.#client = client;
    await client.startClient({
      initialSyncLimit: 8,
      threadSupport: true,
      // Of members who said nothing, sliding sync tells only who asks for them.
      lazyLoadMembers: slides,
      ...(slides && { slidingSync: await this.#slidingSync(client) }),
    });
    await waitFor(
      `${this.userId} syncs`,
      [[client, "sync"]],
      () => ["PREPARED", "SYNCING"].includes(client.getSyncState() ?? ""),
      patienceMs,
    );
  }

  /** All rooms, as a client shows them. */
  async #slidingSync(client: MatrixClient) {
    const SlidingSync = await loadSlidingSync();
    const config = {
      timeline_limit: 20,
      required_state: [
        ["m.room.create", ""],
        ["m.room.name", ""],
        ["m.room.encryption", ""],
        ["m.room.pinned_events", ""],
        ["m.room.power_levels", ""],
        ["m.room.join_rules", ""],
        ["m.room.history_visibility", ""],
        ["m.room.member", "$LAZY"],
        ["m.room.member", "$ME"],
      ],
    };
    const lists = new Map([["all", { ...config, ranges: [[0, 99]] }]]);
    return new SlidingSync(this.#baseUrl, lists, config, client, LONG_POLL_MS);
  }

  /** Closes the client; its stores keep what it has seen. */
  async goOffline(): Promise<void> {
    await this.client.store.save(true);
    this.close();
  }

  /** Ends the session; what it has seen stays where it was. */
  async logOut(): Promise<void> {
    this.close();
    await fetch(`${this.#baseUrl}/_matrix/client/v3/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#session.access_token}` },
    });
  }

  close(): void {
    this.#client?.stopClient();
    this.#client = undefined;
  }

  /** Makes and uploads cross-signing keys, with the password where it is asked for. */
  async bootstrapCrossSigning(): Promise<void> {
    await this.crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: (makeRequest) =>
        this.#withPassword((auth) => makeRequest(auth ?? null)),
    });
  }

  /** Ends another session of the same person. */
  async deleteDevice(deviceId: string): Promise<void> {
    await this.#withPassword((auth) =>
      this.client.deleteDevice(deviceId, auth),
    );
  }

  async #withPassword(
    makeRequest: (auth?: AuthDict) => Promise<unknown>,
  ): Promise<void> {
    await makeRequest().catch((error: unknown) =>
      makeRequest({
        type: "m.login.password",
        identifier: { type: "m.id.user", user: this.userId },
        password: this.password,
        ...sessionOf(error),
      }),
    );
  }

  /** Makes secret storage under a recovery key, and a key backup whose key lies there. */
  async setUpBackup(): Promise<void> {
    const made = await this.crypto.createRecoveryKeyFromPassphrase();
    this.recoveryKey = made.privateKey;
    await this.crypto.bootstrapSecretStorage({
      createSecretStorageKey: async () => made,
      setupNewKeyBackup: true,
    });
  }

  /** How many keys the backup holds: the SDK remembers what it was told at first. */
  async countBackedUpKeys(): Promise<number> {
    const response = await fetch(
      `${this.#baseUrl}/_matrix/client/v3/room_keys/version`,
      { headers: { authorization: `Bearer ${this.#session.access_token}` } },
    );
    return ((await response.json()) as { count: number }).count;
  }

  /** Fetches all keys of the backup by the recovery key; answers how many. */
  async restoreBackup(): Promise<number> {
    await this.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    await this.crypto.checkKeyBackupAndEnable();
    const { imported } = await this.crypto.restoreKeyBackup();
    return imported;
  }

  room(roomId: string): Room | undefined {
    return this.client.getRoom(roomId) ?? undefined;
  }

  /** Waits until something that this device can know is so. */
  async sees<T>(
    what: string,
    find: () => T | undefined | false | Promise<T | undefined | false>,
    ms?: number,
  ): Promise<T> {
    const { client } = this;
    const pulse = new EventEmitter();
    const beat = setInterval(() => pulse.emit("beat"), PULSE_MS);
    const news = NEWS.map((name) => [client, name] as const);
    try {
      const where = `${this.userId} ${this.deviceId} sees ${what}`;
      return await waitFor(where, [[pulse, "beat"], ...news], find, ms);
    } finally {
      clearInterval(beat);
    }
  }

  /** Waits until a room of this kind of membership is there. */
  waitForRoom(roomId: string, membership: string, ms?: number): Promise<Room> {
    const find = () => {
      const room = this.room(roomId);
      return room?.getMyMembership() === membership ? room : undefined;
    };
    return this.sees(`${roomId} with ${membership}`, find, ms);
  }

  /** Waits until somebody is in the room. */
  async meets(roomId: string, userId: string, ms?: number): Promise<void> {
    const find = () =>
      this.room(roomId)?.getMember(userId)?.membership === "join";
    await this.sees(`${userId} in the room`, find, ms);
  }

  /** Waits until exactly these devices of somebody are known. */
  async knowsDevices(
    userId: string,
    deviceIds: readonly string[],
    ms?: number,
  ): Promise<void> {
    const wanted = deviceIds.toSorted().join();
    await this.sees(
      `the devices ${wanted} of ${userId}`,
      async () => {
        const known = await this.crypto.getUserDeviceInfo([userId], true);
        const ids = [...(known.get(userId)?.keys() ?? [])];
        return ids.toSorted().join() === wanted;
      },
      ms,
    );
  }

  /** Waits until an event of the room is as wanted. */
  waitForEvent(
    roomId: string,
    what: string,
    isWanted: (event: MatrixEvent) => boolean,
  ): Promise<MatrixEvent> {
    return this.sees(what, async () => {
      const events = this.events(roomId);
      // By sliding sync the SDK decrypts what a room list shows; clients ask for the rest.
      for (const event of events) await this.client.decryptEventIfNeeded(event);
      return events.find(isWanted);
    });
  }

  /** Scrolls back until an event is there. */
  async scrollTo(roomId: string, eventId: string): Promise<void> {
    const room = this.room(roomId)!;
    const isThere = () =>
      this.events(roomId).some((event) => event.getId() === eventId);
    while (!isThere()) {
      if (room.oldState.paginationToken === null)
        throw new Error(`${eventId} is not in ${roomId}`);
      await this.client.scrollback(room, 30);
    }
  }

  /** The room's live timeline, oldest first, and those of its threads. */
  events(roomId: string): MatrixEvent[] {
    const room = this.room(roomId);
    const threads = room?.getThreads() ?? [];
    return [
      ...(room?.getLiveTimeline().getEvents() ?? []),
      ...threads.flatMap(({ liveTimeline }) => liveTimeline.getEvents()),
    ];
  }

  /** Texts of the messages in the timeline, oldest first. */
  texts(roomId: string): string[] {
    return this.events(roomId)
      .filter((event) => event.getType() === "m.room.message")
      .map((event) => String(event.getContent()["body"]));
  }
}

/** The session of a 401 that asks for user-interactive authentication; other errors are thrown. */
function sessionOf(error: unknown): { session?: string } {
  const { httpStatus, data } = error as {
    httpStatus?: number;
    data?: { session?: string };
  };
  if (httpStatus !== 401) throw error;
  return data?.session === undefined ? {} : { session: data.session };
}
