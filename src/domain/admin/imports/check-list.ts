import { MatrixError } from "../../../core/errors.ts";
import { parseNewUserId } from "../../../core/ids.ts";
import type { Edges } from "../../../edges.ts";
import { listKnownGroups } from "../../../storage/user-groups.ts";
import { listExistingUsers } from "../../../storage/users.ts";
import { assertStrongPassword } from "../../accounts/password.ts";
import { checkFieldValue } from "../../accounts/profile-field.ts";
import {
  assertThirdPartyId,
  listTakenAddresses,
} from "../../accounts/third-party-ids.ts";
import { isName } from "../names.ts";
import type { AccountLine, Column, LineFault } from "./account-line.ts";

type Needs = Pick<Edges, "db" | "settings">;

const MOST_GROUPS = 10;

/** What keeps the accounts of a list from being made, line by line; in a few statements for all. */
export async function checkList(
  edges: Needs,
  lines: readonly AccountLine[],
): Promise<LineFault[]> {
  const faults = lines.flatMap((line) => checkLine(edges, line));
  const faulty = new Set(faults.map(({ line }) => line));
  const fit = lines.filter(({ line }) => !faulty.has(line));
  return [
    ...faults,
    ...findRepeated(fit, "localpart", ({ localpart }) => localpart),
    ...findRepeated(fit, "email", ({ email }) => email?.toLowerCase()),
    ...(await findTakenNames(edges, fit)),
    ...(await findTakenAddresses(edges, fit)),
    ...(await findUnknownGroups(edges, fit)),
  ];
}

/** What is wrong with a line by itself. */
function checkLine(
  { settings }: Pick<Edges, "settings">,
  line: AccountLine,
): LineFault[] {
  const { localpart, displayName, email, password, groups } = line;
  const checks: [Column, () => void][] = [
    ["localpart", () => void parseNewUserId(localpart, settings.serverName)],
    [
      "displayname",
      () => void checkFieldValue("displayname", displayName ?? ""),
    ],
    ["email", () => assertAddress(email)],
    ["password", () => assertPassword(settings, password)],
    ["groups", () => assertGroupNames(groups)],
  ];
  return checks.flatMap(([column, check]) => {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      const { errcode, message } = error;
      return [{ line: line.line, column, errcode, error: message }];
    }
  });
}

function assertAddress(address: string | undefined): void {
  if (address !== undefined) assertThirdPartyId({ medium: "email", address });
}

function assertPassword(
  settings: Parameters<typeof assertStrongPassword>[0],
  password: string | undefined,
): void {
  if (password !== undefined) assertStrongPassword(settings, password);
}

function assertGroupNames(groups: readonly string[]): void {
  if (groups.length > MOST_GROUPS)
    throw invalid(`An account is proposed for ${MOST_GROUPS} groups at most.`);
  if (!groups.every(isName))
    throw invalid(
      "A group is named by lower-case letters, digits and hyphens.",
    );
}

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);

/** Those that a line before has said. */
function findRepeated(
  lines: readonly AccountLine[],
  column: Column,
  keyOf: (line: AccountLine) => string | undefined,
): LineFault[] {
  const first = new Map<string, number>();
  return lines.flatMap((each) => {
    const key = keyOf(each);
    if (key === undefined) return [];
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, each.line);
      return [];
    }
    const error = `Line ${before} has the same ${column}.`;
    return [{ line: each.line, column, errcode: "M_INVALID_PARAM", error }];
  });
}

async function findTakenNames(
  { db, settings }: Needs,
  lines: readonly AccountLine[],
): Promise<LineFault[]> {
  const { serverName, serverNotices } = settings;
  const idOf = ({ localpart }: AccountLine) => `@${localpart}:${serverName}`;
  const taken = new Set(await listExistingUsers(db, lines.map(idOf)));
  taken.add(`@${serverNotices.localpart}:${serverName}`);
  return lines
    .filter((line) => taken.has(idOf(line)))
    .map(({ line }) => ({
      ...{ line, column: "localpart", errcode: "M_USER_IN_USE" },
      error: "This user name is taken.",
    }));
}

async function findTakenAddresses(
  edges: Needs,
  lines: readonly AccountLine[],
): Promise<LineFault[]> {
  const addresses = lines.flatMap(({ email }) => email ?? []);
  const taken = await listTakenAddresses(edges, "email", addresses);
  return lines
    .filter(({ email }) => email !== undefined && taken.has(email))
    .map(({ line }) => ({
      ...{ line, column: "email", errcode: "M_THREEPID_IN_USE" },
      error: "This address is somebody else's.",
    }));
}

async function findUnknownGroups(
  { db }: Needs,
  lines: readonly AccountLine[],
): Promise<LineFault[]> {
  const named = new Set(lines.flatMap(({ groups }) => groups));
  const known = new Set(await listKnownGroups(db, [...named]));
  return lines.flatMap(({ line, groups }) => {
    const unknown = groups.filter((group) => !known.has(group));
    if (unknown.length === 0) return [];
    const error = `There is no group ${unknown.join(", ")}.`;
    return [{ line, column: "groups", errcode: "M_NOT_FOUND", error }];
  });
}
