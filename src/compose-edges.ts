import { randomBytes, randomInt } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import { composeAudit } from "./compose-audit.ts";
import { composeMediaStore } from "./compose-media-store.ts";
import { composeSettings } from "./compose-settings.ts";
import type { Config } from "./config/schema.ts";
import type { Asker, Edges, Log, Random } from "./edges.ts";
import { createEgress } from "./remote/create-egress.ts";
import type { Resolve } from "./remote/resolve.ts";
import { createActivePolicies } from "./storage/active-policies.ts";
import { createBus } from "./storage/bus.ts";
import { createCommitter } from "./storage/committer.ts";
import { createKeyring } from "./storage/database-keyring.ts";
import type { Sql } from "./storage/database.ts";
import { raiseFence } from "./storage/fence.ts";
import { createNidSource } from "./storage/nids.ts";
import { loadSecrets } from "./storage/secrets.ts";
import { createRequestStorage } from "./storage/request-storage.ts";
import type { SecretSource } from "./storage/secret-source.ts";
import { createKnownUsers, sealsRecords } from "./storage/seal-records.ts";
import { createNotifier } from "./storage/stream-notifier.ts";
import type { Committer } from "./storage/write.ts";
import { ProcessMemory } from "./util/process-memory.ts";
import { watchStalls } from "./util/stall-watch.ts";
import { createHtmlReader } from "./workers/html-reader.ts";
import { createPasswordHasher } from "./workers/password-hasher.ts";
import { createThumbnailer } from "./workers/thumbnailer.ts";

export interface EdgesOptions {
  config: Config;
  /** A migrated database; whoever opened it closes it. */
  sql: Sql;
  secretSource: SecretSource;
  /** Where clients reach this server. */
  publicBaseUrl?: string;
  /** Where files stand, unless the settings say otherwise. */
  mediaFolder: string;
  /** Where the ends of the audit log are kept, unless the settings say otherwise. */
  dataFolder: string;
  log: Log;
  now(): number;
  /** How names of other machines are resolved; by DNS unless said. */
  resolve?: Resolve;
}

export interface ComposedEdges {
  /** For what begins now: what began before a stall can commit nothing more. */
  readonly edges: Edges;
  /** For one request, which has waited so long for the database by now. */
  edgesOfRequest(waitedMs: number, asker?: Asker): Edges;
  /** Called when the process runs again after a stall. */
  onStall(listener: (ms: number) => void): void;
  /** Commits what is queued, then lets go of all but `sql`. */
  close(): Promise<void>;
}

/** The outside world of one process. */
export async function composeEdges({
  config,
  sql,
  secretSource,
  publicBaseUrl,
  mediaFolder,
  dataFolder,
  log,
  now,
  resolve,
}: EdgesOptions): Promise<ComposedEdges> {
  const secrets = await loadSecrets(secretSource, sql);
  const nids = createNidSource(sql);
  const bus = await createBus(sql, { log });
  const notifier = await createNotifier({ sql, bus, log }).catch(
    async (error: unknown) => {
      await bus.close();
      throw error;
    },
  );
  const stalls = watchStalls();
  const { isStalled } = stalls;
  const committer = createCommitter(sql, {
    now,
    log,
    isStalled,
    onCall: (batchId) => notifier.expect(batchId),
    onCommit: (answer) => notifier.committed(answer),
  });
  // Half of the cores: what serves must never wait for those who log in.
  const hashers = Math.ceil(availableParallelism() / 2);
  const passwordHasher = createPasswordHasher(hashers);
  const mailer = await composeMailer(config.email);
  const htmlReader = createHtmlReader();
  const egress = createEgress({
    ...config.egress,
    ...(resolve && { resolve }),
  });
  const audit = await composeAudit(config.audit, { dataFolder, egress, now });
  const memory = new ProcessMemory();
  bus.onMessage(({ kind }) => {
    if (kind === "keysDestroyed") memory.forgetOpened();
  });
  // What was said meanwhile may have been that.
  bus.onGap(() => memory.forgetOpened());
  const policies = createActivePolicies(sql, notifier, now);
  bus.onGap(() => policies.forget());
  await policies.read();
  const media = await composeMediaStore(config.media, mediaFolder);
  const thumbnailer = createThumbnailer();
  const keyring = createKeyring({
    sql,
    bus,
    nids,
    now,
    log,
    masterKeys: secrets.masterKeys,
    isSealing: config.sealing === "on",
  });
  const node = `${hostname()} ${random.token(3)}`;
  const known = createKnownUsers();
  const seals = (inner: Committer) =>
    sealsRecords(inner, { sql, keyring, known, node });
  let fence = raiseFence(committer, isStalled);
  let edges: Edges = {
    db: sql,
    committer: seals(fence),
    nids,
    keyring,
    notifier,
    serverKey: secrets.signingKey,
    auditKey: secrets.auditKeys,
    passwordHasher,
    mediaStore: media.store,
    thumbnailer,
    audit,
    egress,
    mailer,
    htmlReader,
    settings: composeSettings(config, secrets.pepper, publicBaseUrl),
    memory,
    policies,
    now,
    random,
    log,
  };
  let viewOf = createRequestStorage({ ...edges, committer: fence }, seals);
  stalls.onStall(() => {
    fence.shut();
    committer.refuseWaiting();
    policies.forget();
    fence = raiseFence(committer, isStalled);
    edges = { ...edges, committer: seals(fence) };
    viewOf = createRequestStorage({ ...edges, committer: fence }, seals);
  });
  return {
    get edges() {
      return edges;
    },
    edgesOfRequest(waitedMs, asker) {
      const view: Edges = viewOf(waitedMs);
      view.asker = asker;
      return view;
    },
    onStall: (listener) => stalls.onStall(listener),
    async close() {
      stalls.close();
      audit.close();
      await egress.close();
      mailer?.close();
      await htmlReader.close();
      await passwordHasher.close();
      await thumbnailer.close();
      media.close();
      await committer.close();
      await notifier.close();
      await bus.close();
    },
  };
}

async function composeMailer({ host, from, ...others }: Config["email"]) {
  if (host === undefined || from === undefined) return null;
  // Its client takes long to load, and few need it.
  const { createMailer } = await import("./remote/create-mailer.ts");
  return createMailer({ host, from, ...others });
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const random: Random = {
  bytes: (count) => randomBytes(count),
  token: (bytes = 32) => randomBytes(bytes).toString("base64url"),
  letters: (count) =>
    Array.from(
      { length: count },
      () => LETTERS[randomInt(LETTERS.length)],
    ).join(""),
};
