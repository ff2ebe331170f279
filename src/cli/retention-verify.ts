import type { JsonObject } from "../core/json.ts";
import { dayOf, readCertificates } from "./certificates.ts";
import type { Program } from "./program.ts";
import { readWhatToVerify } from "./what-to-verify.ts";

/** `myelin retention verify FILE`: needs no server, no database and no secret. */
export async function verifyCertificates(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const { path, keys } = await readWhatToVerify(program, args);
  for (const said of await readCertificates(path, keys))
    program.stdout.write(`${describe(said)}\n`);
}

function describe(said: JsonObject): string {
  const { policy_id: policy, server, destroyed } = said;
  return [
    `${String(server)}, by the policy ${String(policy)}: ${JSON.stringify(destroyed)}.`,
    `Gone from the tables: ${dayOf(said["gone_ts"])}.`,
    `Unreadable in logs and old backups: ${dayOf(said["unreadable_ts"])}.`,
  ].join(" ");
}
