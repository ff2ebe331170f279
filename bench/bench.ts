import { Ledger } from "./ledger/ledger.ts";
import { SyncReader } from "./ledger/sync-reader.ts";
import type { Account } from "./matrix/account.ts";
import { Accounts } from "./matrix/accounts.ts";
import { Http, parseAnswer } from "./matrix/http.ts";
import { createRoom, joinRoom, putMessage } from "./matrix/rooms.ts";
import { mapInParallel } from "./load/in-parallel.ts";
import type { Options } from "./options.ts";
import type { Measurement } from "./report/measurement.ts";
import type { Entry } from "./ledger/verdict.ts";
import type { Target } from "./target/target.ts";

const AT_ONCE = 16;

/** One run: whom it measures, whom it acts as, and what it has found. */
export class Bench {
  readonly target: Target;
  readonly options: Options;
  readonly https: readonly Http[];
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  readonly say: (line: string) => void;
  readonly measurements: Measurement[] = [];
  /** Who pages back through a room when the ledger is checked. */
  readonly owners = new Map<string, Account>();
  #reader: Promise<SyncReader> | undefined;

  constructor(
    target: Target,
    options: Options,
    run: string,
    say: (line: string) => void,
  ) {
    this.target = target;
    this.options = options;
    this.say = say;
    this.https = target.urls.map((url) => new Http(url));
    this.ledger = new Ledger(run);
    this.accounts = new Accounts(this.https, target, `bench-${run}`);
  }

  report(measurement: Measurement): void {
    this.measurements.push(measurement);
    const { scenario, title } = measurement;
    this.say(`${scenario} ${title}`);
  }

  /** Whose account owns the rooms of `openRoom`, and reads them by sync. */
  reader(): Promise<SyncReader> {
    this.#reader ??= (async () => {
      const [account] = await this.accounts.create(1);
      const reader = new SyncReader(account!);
      await reader.start();
      return reader;
    })();
    return this.#reader;
  }

  /** Lets the reader see what was sent since. */
  async catchUp(): Promise<void> {
    if (this.#reader !== undefined) await (await this.#reader).catchUp();
  }

  /** A room of the reader's, or of somebody else's, joined by these. */
  async openRoom(
    members: readonly Account[],
    owner?: Account,
  ): Promise<string> {
    const roomId = await this.openRoomOf(
      owner ?? (await this.reader()).account,
    );
    await mapInParallel(members, AT_ONCE, (member) => joinRoom(member, roomId));
    return roomId;
  }

  /** A room of somebody else's, which nobody follows by sync. */
  async openRoomOf(owner: Account): Promise<string> {
    const roomId = await createRoom(owner);
    this.owners.set(roomId, owner);
    return roomId;
  }

  /** False says that it was not acknowledged. */
  send(account: Account, roomId: string): Promise<boolean> {
    return this.deliver(account, this.ledger.begin(roomId, account.userId));
  }

  /** Sends what the ledger has begun. */
  async deliver(account: Account, entry: Entry): Promise<boolean> {
    const answer = await putMessage(account, entry.roomId, entry.label);
    if (answer.status !== 200) return false;
    const { event_id } = parseAnswer<{ event_id: string }>(answer);
    this.ledger.acknowledge(entry, event_id);
    return true;
  }

  async close(): Promise<void> {
    await Promise.all(this.https.map((http) => http.close()));
  }
}
