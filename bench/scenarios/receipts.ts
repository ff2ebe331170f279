import { setTimeout as wait } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { LABELS } from "../ledger/ledger.ts";
import { Latencies } from "../load/latencies.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { runOpenLoop } from "../load/open-loop.ts";
import { measureInTurns } from "../measure/in-turns.ts";
import { startMeter } from "../measure/meter.ts";
import type { Account } from "../matrix/account.ts";
import { through } from "../matrix/accounts.ts";
import { refusal, type Http } from "../matrix/http.ts";
import type { Values } from "../report/measurement.ts";
import { combineRounds } from "../report/rounds.ts";
import { nextBatchIn, sync, syncQuestion } from "../matrix/sync.ts";

const SCENARIO = "B2";

/** B2: from the time a send was to start until clients that sync are shown it. */
export async function measureReceipts(bench: Bench): Promise<void> {
  const { clients: counts } = bench.options;
  const [near, far] = bench.https;
  const [sender] = await bench.accounts.create(1);
  for (const count of counts) {
    const clients = await bench.accounts.create(count);
    const noun = count === 1 ? "syncing client" : "syncing clients";
    const measureAt = (http: Http) => () =>
      measureReceiptsOf(bench, {
        sender: through(near!, sender!),
        clients: clients.map((client) => through(http, client)),
      });
    const report = (title: string, rounds: readonly Values[]) =>
      bench.report({
        scenario: SCENARIO,
        title: `${count} ${noun}${title}`,
        values: combineRounds(rounds),
      });
    if (far === undefined) {
      report("", [await measureAt(near!)()]);
      continue;
    }
    const sides = [measureAt(near!), measureAt(far)];
    const [same, across] = await measureInTurns(bench.options.rounds, sides);
    report(", the sender's process", same!);
    report(", another process", across!);
  }
}

interface Audience {
  readonly sender: Account;
  readonly clients: readonly Account[];
}

const POLL_MS = 20_000;
const LAST_RECEIPT_MS = 15_000;
/** A rate that leaves every server idle between messages, however few it serves. */
const rateFor = (clients: number) => (clients > 10 ? 5 : 10);

async function measureReceiptsOf(
  bench: Bench,
  { sender, clients }: Audience,
): Promise<Values> {
  const { seconds, warmUpSeconds, receiptRate } = bench.options;
  const perSecond = receiptRate ?? rateFor(clients.length);
  const roomId = await bench.openRoom([sender, ...clients]);
  const watch = new Watch();
  const listening = await listen(clients, watch);
  const send = (_turn: number, intended: number) => {
    const entry = bench.ledger.begin(roomId, sender.userId);
    watch.expect(entry.label, intended, clients.length);
    return bench.deliver(sender, entry);
  };
  const measure = async (): Promise<Values> => {
    await runOpenLoop({ perSecond, seconds: warmUpSeconds, operation: send });
    await watch.complete(LAST_RECEIPT_MS);
    watch.reset();
    const meter = startMeter(bench.target);
    const sent = await runOpenLoop({ perSecond, seconds, operation: send });
    await watch.complete(LAST_RECEIPT_MS);
    const errors = watch.lacking + sent.errors;
    return {
      operations: sent.latencies.count,
      ...(errors > 0 && { errors }),
      ...watch.latencies.summary(),
      ...meter.read(sent.latencies.count),
    };
  };
  return measure().finally(() => listening.stop());
}

/** What is yet to be shown to how many, and how long it took so far. */
class Watch {
  latencies = new Latencies();
  readonly #expected = new Map<string, { intended: number; left: number }>();

  expect(label: string, intended: number, clients: number): void {
    this.#expected.set(label, { intended, left: clients });
  }

  receive(label: string, at: number): void {
    const expected = this.#expected.get(label);
    if (expected === undefined) return;
    this.latencies.add(at - expected.intended);
    if (--expected.left === 0) this.#expected.delete(label);
  }

  get lacking(): number {
    return [...this.#expected.values()].reduce(
      (sum, { left }) => sum + left,
      0,
    );
  }

  /** Waits until all is shown, or long enough. */
  async complete(patienceMs: number): Promise<void> {
    const end = performance.now() + patienceMs;
    while (this.#expected.size > 0 && performance.now() < end) await wait(10);
  }

  reset(): void {
    this.#expected.clear();
    this.latencies = new Latencies();
  }
}

interface Listening {
  stop(): Promise<void>;
}

/** Long-polls as each of the clients, each answer timed before it is read. */
async function listen(
  clients: readonly Account[],
  watch: Watch,
): Promise<Listening> {
  const first = await mapInParallel(clients, 8, (client) => sync(client));
  let isStopped = false;
  let fault: unknown;
  const follow = async (client: Account, start: string) => {
    let since = start;
    while (!isStopped) {
      const question = syncQuestion(client, { since, timeoutMs: POLL_MS });
      const answer = await client.http.poll(question);
      const at = performance.now();
      if (answer.status !== 200) throw refusal(question, answer);
      const text = answer.bytes.toString();
      for (const [, label] of text.matchAll(LABELS)) watch.receive(label!, at);
      since = nextBatchIn(text);
    }
  };
  const following = clients.map((client, i) =>
    follow(client, first[i]!.next_batch).catch((error: unknown) => {
      if (!isStopped) fault ??= error;
    }),
  );
  return {
    async stop() {
      isStopped = true;
      const https = new Set(clients.map(({ http }) => http));
      await Promise.all([...https].map((http) => http.dropPolls()));
      await Promise.all(following);
      if (fault !== undefined) throw fault;
    },
  };
}
