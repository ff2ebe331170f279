import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { findInDump, findInFiles } from "./canaries.ts";
import { Client } from "./client.ts";
import {
  call,
  must,
  PICTURE,
  plant,
  preview,
  search,
  send,
  sharedPaths,
  upload,
  type Person,
} from "./erased-person.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { restartJobs } from "./restart-jobs.ts";
import { FaultServer } from "./server.ts";

/**
 * G5: what was destroyed is nowhere: not in the database's files and its log of writes, a
 * dump, the files of people, the server's log, nor in an old copy that is started again.
 */
export const erasure: ProofCase = {
  name: "erasure",
  unit: "person who is erased and left the same words in every place, beside a room whose time is over",
  fullUnits: 10,
  unitsPerRun: 5,
  run: runErasure,
};

/** A share of it has a few of them. */
const LEAST = 2;
const LONGEST_MS = 120_000;
const DAYS = 70;
const DAY_MS = 86_400_000;
const ENVIRONMENT = {
  MYELIN_LISTENERS_ADMIN_ON_CLIENT_LISTENER: "true",
  MYELIN_ADMIN_UNDO_WINDOW_HOURS: "0",
  MYELIN_RETENTION_KEY_BACKUP_DAYS: "0",
  MYELIN_URL_PREVIEWS_ENABLED: "true",
  MYELIN_EGRESS_ALLOW: "127.0.0.1",
  MYELIN_LOG_LEVEL: "debug",
};
const A = "/_myelin/admin/v1";

async function runErasure({
  seed,
  units,
  isFull,
}: RunOptions): Promise<Outcome> {
  const proof = new Proof(seed, isFull ? units : LEAST);
  try {
    return await proof.run();
  } finally {
    await proof.end();
  }
}

/** A table as it is, to be put into another database. */
interface Table {
  name: string;
  rows: string;
}

class Proof {
  readonly #server = new FaultServer({ environment: ENVIRONMENT });
  readonly #old = new FaultServer({ environment: ENVIRONMENT });
  readonly #backup = mkdtempSync(join(tmpdir(), "myelin-backup-"));
  readonly #count: number;
  readonly #tag: string;
  readonly #pages: Server;
  readonly #clients: Client[] = [];
  #sql: postgres.Sql | undefined;
  #roomId = "";
  #agingId = "";
  #agingEvent = "";
  /** Where bob reads what goes with its time. */
  #aging: string[] = [];
  #people: Person[] = [];

  constructor(seed: number, count: number) {
    this.#count = count;
    this.#tag = `${seed}x${Date.now().toString(36)}`;
    this.#pages = createServer(({ url = "" }, response) => {
      response.setHeader("content-type", "text/html");
      const words = decodeURIComponent(url.slice(1));
      response.end(`<html><head><title>${words}</title></head></html>`);
    });
  }

  /** In plain, also afterwards: what is looked for this way is found. */
  get #control(): string {
    return `control${this.#tag}`;
  }
  get #over(): string {
    return `over${this.#tag}`;
  }
  get #canaries(): string[] {
    return [this.#over, ...this.#people.map(({ canary }) => canary)];
  }
  get #bob(): Client {
    return this.#clients[0]!;
  }
  get #officer(): Client {
    return this.#clients[1]!;
  }

  async run(): Promise<Outcome> {
    await this.#plantAll();
    const before = await this.#read(this.#server);
    const backup = await this.#copyAside();
    await this.#destroy();
    const early = await this.#listUnreadable();
    await this.#rotate();
    const sql = this.#sql!;
    const keys = await dumpTables(sql);
    const inDump = await findInDump(sql, [...this.#canaries, this.#control]);
    const after = await this.#read(this.#server);
    // Said once more, so that it is in what was written last.
    const alias = `#${this.#control}y:${this.#bob.userId.split(":")[1]}`;
    await this.#bob.must(
      "PUT",
      `/directory/room/${encodeURIComponent(alias)}`,
      { room_id: this.#roomId },
    );
    await this.#close();
    const data = join(this.#server.folder, "data");
    const inFiles = [
      ...findInFiles(data, [...this.#canaries, this.#control]),
      ...findInFiles(join(data, "media"), [PICTURE]),
    ];
    const inLog = findInFiles(this.#server.folder, this.#canaries).filter(
      ({ file }) => file === "log",
    );
    const inCopy = [
      ...findInFiles(this.#backup, this.#canaries),
      ...findInFiles(join(this.#backup, "data", "media"), [PICTURE]),
    ];
    const old = await this.#openOldCopy(keys);
    const places = [
      ...inDump.map(({ table, text }) => ({ place: table, text })),
      ...inFiles.map(({ file, text }) => ({
        place: file.replace(/\/.*/, ""),
        text,
      })),
    ];
    const isControl = ({ text }: { text: string }) => text === this.#control;
    const found = new Set(places.filter(isControl).map(({ place }) => place));
    const wal = inFiles.filter(
      (each) => isControl(each) && each.file.includes("pg_wal"),
    );
    return {
      counts: {
        "persons erased": this.#people.length,
        "words that were left": this.#canaries.length,
        "ways to read them": before.ways,
        "of these, that showed them before": before.shown.length,
        "files of the old copy": backup,
      },
      claims: {
        "before, all is read": this.#missing(before.shown),
        "what stands in plain is found in tables, files and the log of writes":
          [
            ...(found.has("room_aliases") ? [] : ["not in the dump"]),
            ...(found.has("postgres") ? [] : ["not in the files"]),
            ...(wal.length > 0 ? [] : ["not in the log of writes"]),
          ],
        "afterwards nobody reads any of it": tell(after.shown),
        "no table, file nor log holds any of it": tell([
          ...places
            .filter((each) => !isControl(each))
            .map(({ place, text }) => `${text} in ${place}`),
          ...inLog.map(({ text }) => `${text} in the server's log`),
        ]),
        "no file of an old copy holds any of it as it stands": tell(
          inCopy.map(({ file, text }) => `${text} in ${file}`),
        ),
        "no certificate says so before the old master key is gone": early,
        "certificates say so then": this.#notSaid(keys),
        ...old,
      },
    };
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#pages.close();
    await this.#close();
    await this.#server.remove();
    await this.#old.remove();
    rmSync(this.#backup, { recursive: true, force: true });
  }

  async #close(): Promise<void> {
    await this.#sql?.end({ timeout: 1 });
    this.#sql = undefined;
    await this.#server.stop();
  }

  #connect(server: FaultServer): postgres.Sql {
    return postgres(server.databaseUrl(), {
      max: 2,
      onnotice: () => undefined,
    });
  }

  async #plantAll(): Promise<void> {
    await new Promise<void>((done) =>
      this.#pages.listen(0, "127.0.0.1", () => done()),
    );
    const { port } = this.#pages.address() as AddressInfo;
    const pageOf = (words: string) => `http://127.0.0.1:${port}/${words}`;
    const server = this.#server;
    await server.start();
    this.#sql = this.#connect(server);
    for (const name of ["bob", "officer"])
      this.#clients.push(await new Client(server).register(name));
    await this.#sql`
      insert into role_bindings (binding_id, user_id, role_id, scope_kind, reason, granted_by, granted_ts)
      values (1, ${this.#officer.userId}, 'privacy-officer', 'server', 'for the proof', 'the proof', 1)`;
    const bob = this.#bob;
    const made = await bob.must("POST", "/createRoom", {
      ...{ preset: "public_chat", room_alias_name: this.#control },
    });
    this.#roomId = String(made["room_id"]);
    for (let i = 0; i < this.#count; i += 1) {
      const client = await new Client(server).register(`person${i}`);
      this.#clients.push(client);
      const canary = `canary${i}x${this.#tag}`;
      const place = { roomId: this.#roomId, page: pageOf(canary), canary };
      this.#people.push(await plant(server, client, bob, place));
    }
    await send(bob, this.#roomId, { msgtype: "m.text", body: KEPT });
    const aging = await bob.must("POST", "/createRoom", {
      preset: "public_chat",
    });
    this.#agingId = String(aging["room_id"]);
    const file = await upload(server, bob, this.#over, `${this.#over}.txt`);
    this.#agingEvent = await send(bob, this.#agingId, {
      ...{ msgtype: "m.file", body: this.#over, url: file },
    });
    await preview(server, bob, pageOf(this.#over));
    this.#aging = [
      ...sharedPaths(this.#agingId, this.#agingEvent),
      `/_matrix/client/v1/media/download/${file.slice("mxc://".length)}`,
    ];
    for (const canary of this.#canaries)
      await until("its words are found", async () => {
        const { text } = await search(server, bob, canary);
        return text.includes("$");
      });
    // From here on no page says again what is looked for.
    this.#pages.close();
    this.#pages.closeAllConnections();
  }

  /** By which ways anybody is shown any of the words. */
  async #read(server: FaultServer): Promise<{ ways: number; shown: string[] }> {
    const asked: [Client, string][] = [
      ...this.#aging.map((path): [Client, string] => [this.#bob, path]),
      ...this.#people.flatMap(({ client, eventId, own }) => [
        ...own.map((path): [Client, string] => [client, path]),
        ...sharedPaths(this.#roomId, eventId).map((path): [Client, string] => [
          this.#bob,
          path,
        ]),
      ]),
    ];
    const shown: string[] = [];
    for (const [client, path] of asked) {
      const { status, text } = await call(server, client, "GET", path);
      // 502 is what is said of a page that is not there any more.
      if (status >= 500 && status !== 502)
        shown.push(`${path} answers ${status}`);
      for (const canary of this.#canaries)
        if (text.includes(canary)) shown.push(`${canary} by ${path}`);
    }
    for (const canary of this.#canaries) {
      const { text } = await search(server, this.#bob, canary);
      if (text.includes('"event_id"')) shown.push(`${canary} by search`);
    }
    return { ways: asked.length + this.#canaries.length, shown };
  }

  /** Of each word that it was shown, and by each way that should show it. */
  #missing(shown: readonly string[]): string[] {
    const ways = [
      ...this.#people.flatMap(({ canary, own, eventId }) =>
        [
          ...own,
          // A sync shows the newest alone.
          ...sharedPaths(this.#roomId, eventId).filter(
            (path) => !path.endsWith("/sync"),
          ),
        ].map((path) => `${canary} by ${path}`),
      ),
      ...this.#aging
        .filter((path) => !/\/(members|relations|notifications)/.test(path))
        .map((path) => `${this.#over} by ${path}`),
      ...this.#canaries.map((canary) => `${canary} by search`),
    ];
    return tell(ways.filter((way) => !shown.includes(way)));
  }

  /** The files as they stand, without keys, which no backup of the data holds. */
  async #copyAside(): Promise<number> {
    await this.#sql!.end({ timeout: 1 });
    await this.#server.stop();
    const data = join(this.#server.folder, "data");
    cpSync(join(data, "keys"), join(this.#backup, "keys"), { recursive: true });
    mkdirSync(join(this.#backup, "data"));
    for (const name of ["postgres", "postgres.json", "media"])
      execFileSync("cp", ["-a", join(data, name), join(this.#backup, "data")]);
    await this.#server.start();
    this.#sql = this.#connect(this.#server);
    return findInFiles(join(this.#backup, "data"), [""]).length;
  }

  async #destroy(): Promise<void> {
    const sql = this.#sql!;
    for (const { client } of this.#people) {
      const path = `${A}/users/${encodeURIComponent(client.userId)}/erasure`;
      await must(this.#server, this.#officer, "POST", path, "{}");
    }
    const span = new Date(Date.now() - DAYS * DAY_MS).toISOString().slice(0, 7);
    const past = DAYS * DAY_MS;
    await sql`
      update events set origin_server_ts = origin_server_ts - ${past}::bigint, received_ts = received_ts - ${past}::bigint
      where room_nid = (select room_nid from rooms where room_id = ${this.#agingId})`;
    await sql`update url_previews set fetched_ts = fetched_ts - ${past}::bigint`;
    await sql`
      update keys set span = ${span}
      where scope in ('room-span', 'room-words') and owner = ${this.#agingId}
        or scope = 'user-files' and owner = ${this.#bob.userId}`;
    const document = JSON.stringify({
      scope: { kind: "room", id: this.#agingId },
      max_lifetime: DAY_MS,
    });
    await sql`
      insert into retention_policies (policy_id, draft, active, active_version, in_force_ts, changed_by, changed_ts)
      values ('proof', ${document}, ${document}, 1, 0, 'the proof', 0)`;
    await restartJobs(this.#server, sql);
    await until("all is destroyed and certified", async () => {
      const [row] = await sql<{ isDone: boolean }[]>`
        select (select count(*) from erasure_certificates) = ${this.#count}
          and exists (select from retention_certificates where keys_gone_ts is not null) as "isDone"`;
      if (!row!.isDone) await sql`delete from leases where not is_running`;
      return row!.isDone;
    });
  }

  async #listUnreadable(): Promise<string[]> {
    const rows = await this.#sql!<{ id: string }[]>`
      select certificate_id as id from erasure_certificates where unreadable_ts is not null
      union all select certificate_id from retention_certificates where unreadable_ts is not null`;
    return rows.map(({ id }) => id);
  }

  /** All that lives is wrapped anew, and the master key of then is gone. */
  async #rotate(): Promise<void> {
    this.#server.run("keys", "rotate", "--destroy");
    const sql = this.#sql!;
    await restartJobs(this.#server, sql);
    await until("certificates are whole", async () => {
      const [row] = await sql<{ left: string }[]>`
        select (select count(*) from erasure_certificates where unreadable_ts is null)
          + (select count(*) from retention_certificates where unreadable_ts is null) as left`;
      return Number(row!.left) === 0;
    }).catch(() => undefined);
  }

  #notSaid(tables: readonly Table[]): string[] {
    const certificates = tables.filter(({ name }) => name !== "keys");
    return certificates.flatMap(({ name, rows }) =>
      (JSON.parse(rows) as { unreadable_ts?: number | null }[])
        .filter((row) => row.unreadable_ts === null)
        .map((row) => `${name}: ${JSON.stringify(row)}`),
    );
  }

  /** What an old copy of the data gives away, with which keys. */
  async #openOldCopy(
    tables: readonly Table[],
  ): Promise<Record<string, string[]>> {
    const data = join(this.#old.folder, "data");
    mkdirSync(data);
    for (const name of ["postgres", "postgres.json", "media"])
      execFileSync("cp", ["-a", join(this.#backup, "data", name), data]);
    const today = join(this.#server.folder, "data", "keys");
    const keysAre = (folder: string) => {
      rmSync(join(data, "keys"), { recursive: true, force: true });
      cpSync(folder, join(data, "keys"), { recursive: true });
    };
    keysAre(today);
    const refusal = await this.#old.findRefusal();
    await this.#old.stop();
    // As it was then: what the copy holds would be read.
    keysAre(join(this.#backup, "keys"));
    await this.#old.start();
    const then = await this.#read(this.#old);
    const sql = this.#connect(this.#old);
    await putTables(sql, tables);
    await sql.end({ timeout: 1 });
    await this.#old.stop();
    keysAre(today);
    await this.#old.start();
    const now = await this.#read(this.#old);
    const kept = await call(
      ...([this.#old, this.#bob, "GET"] as const),
      sharedPaths(this.#roomId, this.#agingEvent)[0]!,
    );
    const old = this.#connect(this.#old);
    const dumped = await findInDump(old, this.#canaries);
    await old.end({ timeout: 1 });
    await this.#old.stop();
    const files = findInFiles(data, this.#canaries);
    return {
      "with the keys of then an old copy shows what it holds": this.#missing(
        then.shown,
      ),
      "an old copy does not start with the keys of today, and names what it lacks":
        refusal?.includes("master-1") === true ? [] : [refusal ?? "it serves"],
      "with today's table of keys it opens what lives":
        kept.text.includes(KEPT) && existsSync(join(data, "keys", "master-2"))
          ? []
          : [kept.text.slice(0, 500)],
      "and shows nothing of what was destroyed": tell(now.shown),
      "nor does it hold any of it as it stands": tell([
        ...dumped.map(({ table, text }) => `${text} in ${table}`),
        ...files.map(({ file, text }) => `${text} in ${file}`),
      ]),
    };
  }
}

/** Said by somebody who stays. */
const KEPT = "what somebody else said";

async function until(
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`It is not so that ${what}.`);
    await pause(100);
  }
}

/** The table of keys with what says which master key there is, and the certificates. */
async function dumpTables(sql: postgres.Sql): Promise<Table[]> {
  const names = ["keys", "erasure_certificates", "retention_certificates"];
  const tables: Table[] = [];
  for (const name of names) {
    const [row] = await sql<{ rows: string }[]>`
      select coalesce(json_agg(t), '[]')::text as rows from ${sql(name)} t`;
    tables.push({ name, rows: row!.rows });
  }
  const [row] = await sql<{ rows: string }[]>`
    select json_agg(t)::text as rows from server_settings t where name in ('secrets', 'master_epoch')`;
  return [...tables, { name: "server_settings", rows: row!.rows }];
}

async function putTables(
  sql: postgres.Sql,
  tables: readonly Table[],
): Promise<void> {
  const rowsOf = (wanted: string) =>
    tables.find(({ name }) => name === wanted)!.rows;
  await sql.begin(async (tx) => {
    await tx`delete from keys`;
    await tx`
      insert into keys select * from json_populate_recordset(null::keys, ${rowsOf("keys")}::text::json)`;
    await tx`
      update server_settings s set value = r.value
      from json_populate_recordset(null::server_settings, ${rowsOf("server_settings")}::text::json) r
      where s.name = r.name`;
  });
}
