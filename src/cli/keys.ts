import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readSecrets } from "../config/environment.ts";
import type { JsonObject } from "../core/json.ts";
import { auditRecord, type Act } from "../domain/admin/audit-record.ts";
import type { Edges } from "../edges.ts";
import { rotateMasterKey } from "../storage/rotate-master-key.ts";
import { masterName } from "../storage/secret-source.ts";
import { loadSecrets } from "../storage/secrets.ts";
import { act, findPlace } from "./act.ts";
import { folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

/**
 * `myelin keys rotate`: what was sealed under a key that is destroyed opens no more in any
 * copy of the database, once the old master key is gone too.
 */
export async function rotateKeys(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    destroy: { type: "boolean", default: false },
  });
  const place = await findPlace(program, options);
  const keysDir = join(place.dataFolder, "keys");
  await act(program, place, async (edges) => {
    const source = { keysDir, given: readSecrets(program.environment) };
    const { masterKeys } = await loadSecrets(source, edges.db);
    // It takes many commits: that it was begun is known, wherever it was killed.
    await record(edges, { begun: true, destroys: options.destroy });
    const rotation = await rotateMasterKey(edges.db, source, masterKeys);
    const { epoch, retired, rewrapped } = rotation;
    const { destroy: destroyed } = options;
    await record(edges, { epoch, retired, rewrapped, destroyed });
    const files = retired.map((old) => join(keysDir, masterName(old)));
    if (options.destroy)
      for (const file of files) await rm(file, { force: true });
    const old = options.destroy
      ? `The files ${files.join(", ")} are removed; destroy their copies too.`
      : `Destroy ${files.join(", ")} and their copies: they open nothing that lives.`;
    return `${rewrapped} keys are wrapped under the master key of epoch ${epoch}. ${old}`;
  });
}

async function record(
  { committer, now }: Pick<Edges, "committer" | "now">,
  details: JsonObject,
): Promise<void> {
  const act: Act = {
    ...{ act: "settings.keys.rotate", actor: "command line", target: "" },
    details,
  };
  await committer.commit({ positions: 0, audit: [auditRecord(act, now())] });
}
