import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { MatrixError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { readJson } from "../core/json-reader.ts";
import {
  askAdministration,
  type AdminAnswer,
  type AdminPlace,
  type AdminRequest,
} from "../remote/ask-administration.ts";
import { ADMIN_ACTS, type AdminAct } from "./admin-acts.ts";
import { adminSchemeOf } from "./admin-scheme.ts";
import { socketOf } from "./admin-socket.ts";
import { dataFolderOf, folderOptions } from "./options.ts";
import { askPassword, readPassword } from "./password.ts";
import type { Program } from "./program.ts";
import { buildConfig, readConfigSources } from "./read-config.ts";
import { StartError } from "./start-error.ts";
import { renderFacts, renderTable } from "./table.ts";
import { UsageError } from "./usage.ts";

const common = {
  ...folderOptions,
  url: { type: "string" },
  json: { type: "boolean", default: false },
  "token-file": { type: "string" },
  "password-stdin": { type: "boolean", default: false },
} as const;

/** So much a list may be. */
const MOST_BYTES = 64 * 1024 * 1024;

/** `myelin admin request METHOD PATH [JSON]` */
export async function requestByHand(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const { words, options } = read(args, {}, ["METHOD", "PATH"], 1);
  const [method = "", path = "", body] = words;
  const server = await findServer(program, options);
  const answer = await server.ask({
    method: method.toUpperCase(),
    path: path.startsWith("/") ? path : `/_myelin/admin/v1/${path}`,
    ...(body !== undefined && { body: bodyOf(body) }),
  });
  program.stdout.write(`${answer.text}\n`);
}

function bodyOf(text: string): JsonObject {
  try {
    const body = readJson(text);
    if (isJsonObject(body)) return body;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
  }
  throw new UsageError("The body has to be a JSON object.");
}

/** `myelin admin login --username NAME`: prints a token for the others. */
export async function logIn(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const { options } = read(args, { username: { type: "string" } }, []);
  const { username } = options;
  if (typeof username !== "string" || username === "")
    throw new UsageError("Who? Give --username NAME.");
  const server = await findServer(program, options, false);
  const password = await askPassword(program, options["password-stdin"]);
  const { answer } = await server.ask({
    method: "POST",
    path: "/_matrix/client/v3/login",
    body: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: username },
      password: password.reveal(),
      initial_device_display_name: "myelin admin",
    },
  });
  program.stdout.write(`${String(answer["access_token"])}\n`);
}

/** `myelin admin import-users FILE [--dry-run]` */
export async function importUsers(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const own = { "dry-run": { type: "boolean" } } as const;
  const { words, options } = read(args, own, ["FILE"]);
  const path = resolve(program.folder, words[0] ?? "");
  const list = await readFile(path).catch(() => {
    throw new UsageError(`There is no file ${path} to be read.`);
  });
  const server = await findServer(program, options);
  const isTrial = options["dry-run"] === true;
  const { answer, text } = await server.ask({
    method: "POST",
    path: `/_myelin/admin/v1/users/import${isTrial ? "?dry_run=true" : ""}`,
    body: list,
  });
  const { faults } = answer;
  const found = Array.isArray(faults) ? faults.filter(isJsonObject) : [];
  if (options.json) program.stdout.write(`${text}\n`);
  else if (found.length === 0) program.stdout.write(renderFacts(answer));
  else program.stdout.write(renderTable(FAULT_COLUMNS, found));
  if (found.length > 0)
    throw new StartError("Nothing would be made of this list.");
}

const FAULT_COLUMNS = [
  ["LINE", "line"],
  ["COLUMN", "column"],
  ["FAULT", "error"],
  ["CODE", "errcode"],
] as const;

/** `myelin admin users list` and all of its kind. */
export const adminActs =
  (group: string) =>
  async (program: Program, args: readonly string[]): Promise<void> => {
    const [verb = "", ...rest] = args;
    const name = `${group} ${verb}`;
    if (!Object.hasOwn(ADMIN_ACTS, name))
      throw new UsageError(`There is no command "admin ${name}".`);
    await doAct(program, ADMIN_ACTS[name]!, rest);
  };

async function doAct(
  program: Program,
  act: AdminAct,
  args: readonly string[],
): Promise<void> {
  const { words, options } = read(args, act.options ?? {}, act.takes);
  const server = await findServer(program, options);
  const password = act.takesPassword
    ? (await readPassword(program, options["password-stdin"])).reveal()
    : "";
  const own = Object.keys(act.options ?? {});
  const { answer, text } = await server.ask(
    act.asks({
      ...{ words, password, nowMs: Date.now() },
      options: Object.fromEntries(
        own.flatMap((key) =>
          options[key] === undefined ? [] : [[key, options[key]]],
        ),
      ),
      userOf: (user) =>
        user.startsWith("@") ? user : `@${user}:${server.serverName}`,
    }),
  );
  program.stdout.write(options.json ? `${text}\n` : shown(act, answer));
}

function shown({ list }: AdminAct, answer: JsonObject): string {
  if (!list) {
    const isEmpty = Object.keys(answer).length === 0;
    return isEmpty ? "Done.\n" : renderFacts(answer);
  }
  const rows = answer[list.name];
  const table = renderTable(
    list.columns,
    Array.isArray(rows) ? rows.filter(isJsonObject) : [],
  );
  const next = answer["next_token"] ?? answer["next_batch"];
  return next === undefined
    ? table
    : `${table}There are more: go on with --from ${String(next)}.\n`;
}

type Values = Record<string, string | boolean | undefined> & {
  data: string;
  json: boolean;
  "password-stdin": boolean;
};

/** @param more how many words may follow those that have to be said */
function read(
  args: readonly string[],
  own: NonNullable<ParseArgsConfig["options"]>,
  takes: readonly string[],
  more = 0,
): { words: string[]; options: Values } {
  let parsed;
  try {
    parsed = parseArgs({
      ...{ args: [...args], allowPositionals: true, strict: true },
      options: { ...common, ...own },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { positionals: words, values } = parsed;
  const missing = takes[words.length];
  if (missing !== undefined) throw new UsageError(`Which ${missing}?`);
  if (words.length > takes.length + more)
    throw new UsageError(`What is "${String(words.at(-1))}"?`);
  return { words, options: values as Values };
}

interface Administration {
  serverName: string;
  ask(request: AdminRequest): Promise<AdminAnswer & { answer: JsonObject }>;
}

async function findServer(
  program: Program,
  options: Values,
  needsToken = true,
): Promise<Administration> {
  const { config: path, data, url } = options;
  const sources = await readConfigSources(
    program,
    typeof path === "string" ? path : undefined,
  );
  const config = buildConfig(program, sources);
  const { host, port } = config.listeners.admin;
  const place: AdminPlace =
    typeof url === "string"
      ? { url }
      : port === undefined
        ? { socketPath: socketOf(dataFolderOf(program, data)) }
        : {
            url: `${adminSchemeOf(config)}://${host.includes(":") ? `[${host}]` : host}:${port}`,
          };
  const token = needsToken ? await readToken(program, options) : undefined;
  return {
    serverName: config.serverName,
    async ask(request) {
      const asked = { ...request, ...(token !== undefined && { token }) };
      const answer = await askAdministration(place, asked).catch(
        (error: unknown) => {
          throw new StartError(
            `No server answers at ${"url" in place ? place.url : place.socketPath}: ${(error as Error).message}.`,
          );
        },
      );
      const said = objectIn(answer.text);
      if (answer.status >= 400) throw new StartError(refusalOf(answer, said));
      return { ...answer, answer: said };
    },
  };
}

async function readToken(program: Program, options: Values): Promise<string> {
  const file = options["token-file"];
  const token =
    typeof file === "string"
      ? await readFile(resolve(program.folder, file), "utf8").catch(() => "")
      : program.environment["MYELIN_ADMIN_TOKEN"];
  if (token && /^[\x21-\x7e]+\s*$/.test(token)) return token.trim();
  throw new UsageError(
    "By which token? Set MYELIN_ADMIN_TOKEN or give --token-file FILE; myelin admin login prints one.",
  );
}

function objectIn(text: string): JsonObject {
  let value: JsonValue = null;
  try {
    value = readJson(text, { maxBytes: MOST_BYTES, maxKeys: 5_000_000 });
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
  }
  return isJsonObject(value) ? value : {};
}

/** With what else it says, such as the permission that is missing. */
function refusalOf({ status }: AdminAnswer, said: JsonObject): string {
  const { errcode, error, ...more } = said;
  const rest = Object.keys(more).length === 0 ? "" : ` ${JSON.stringify(more)}`;
  return `${String(error ?? status)} (${String(errcode ?? status)})${rest}`;
}
