import { createAccount } from "../domain/accounts/create-account.ts";
import { auditRecord } from "../domain/admin/audit-record.ts";
import { makeOwner } from "../domain/admin/bindings.ts";
import { deactivatePolicy } from "../domain/policies/activate.ts";
import { addMailAddress } from "../domain/accounts/third-party-ids.ts";
import { act, findPlace } from "./act.ts";
import { folderOptions, parseOptions } from "./options.ts";
import { readPassword } from "./password.ts";
import type { Program } from "./program.ts";
import { UsageError } from "./usage.ts";

/** `myelin admin create-user` */
export async function createUser(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    username: { type: "string" },
    admin: { type: "boolean", default: false },
    "password-stdin": { type: "boolean", default: false },
  });
  const { username, admin } = options;
  if (!username) throw new UsageError("Whom? Give --username NAME.");
  const place = await findPlace(program, options);
  const password = await readPassword(program, options["password-stdin"]);
  await act(program, place, async (edges) => {
    const { userId } = await createAccount(
      edges,
      {
        localpart: username,
        password: password.reveal(),
        isAdmin: admin,
        actor: "command line",
      },
      null,
    );
    return `${userId} is there now.`;
  });
}

/** `myelin admin add-mail-address` */
export async function addAddress(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    username: { type: "string" },
    address: { type: "string" },
  });
  const { username, address } = options;
  if (!username || !address)
    throw new UsageError("Whose? Give --username NAME --address ADDRESS.");
  await act(program, await findPlace(program, options), async (edges) => {
    const userId = `@${username}:${edges.settings.serverName}`;
    const record = auditRecord(
      {
        ...{ act: "users.write", actor: "command line", target: userId },
        details: { mail_address: "added" },
      },
      edges.now(),
    );
    await addMailAddress(edges, userId, address, [record]);
    return `${userId} may have notifications mailed there now.`;
  });
}

/** `myelin policy off NAME` */
export async function endPolicy(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const [policyId = "", ...rest] = args;
  if (policyId === "" || policyId.startsWith("-"))
    throw new UsageError("Which policy? Give its name.");
  const options = parseOptions(rest, folderOptions);
  await act(program, await findPlace(program, options), async (edges) => {
    await deactivatePolicy(edges, "command line", policyId);
    return `The policy ${policyId} decides nothing any more.`;
  });
}

/** `myelin owner USER_ID` */
export async function grantOwner(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const [userId = "", ...rest] = args;
  if (!userId.startsWith("@"))
    throw new UsageError("Who? Give a user id, such as @name:example.org.");
  const options = parseOptions(rest, folderOptions);
  await act(program, await findPlace(program, options), async (edges) => {
    await makeOwner(edges, userId);
    return `${userId} may grant roles now, until there are a security-admin and a system-admin.`;
  });
}
