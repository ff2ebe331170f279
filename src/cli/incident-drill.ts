import { readEgress } from "../domain/admin/egress.ts";
import { readBlastRadius } from "../domain/admin/incidents/blast-radius.ts";
import {
  closeIncident,
  NOTIFY_WITHIN_MS,
  openIncident,
  readIncident,
} from "../domain/admin/incidents/incidents.ts";
import type { Edges } from "../edges.ts";
import { act, findPlace } from "./act.ts";
import { folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";

/** `myelin incident drill` */
export async function drillIncident(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, folderOptions);
  await act(program, await findPlace(program, options), goThroughDrill);
}

/** Opens an incident, finds its record in the audit log, sees who outside is concerned, and closes it. */
export async function goThroughDrill(edges: Edges): Promise<string> {
  const said: string[] = [];
  const take = async <T>(
    what: string,
    step: () => Promise<T>,
    isWell: (outcome: T) => boolean = () => true,
  ): Promise<T> => {
    const begunAt = performance.now();
    const outcome = await step();
    if (!isWell(outcome)) throw new StartError(`The drill failed at: ${what}.`);
    said.push(`${what}: ${Math.round(performance.now() - begunAt)} ms`);
    return outcome;
  };

  const { incidentId, openedTs } = await take("opened an incident", () =>
    openIncident(edges, "command line", {
      ...{ title: "Drill", severity: "low", summary: "Nothing happened." },
      ...{ fromTs: edges.now() - 60_000, toTs: null, awareTs: null },
    }),
  );
  await take(
    "its clock runs",
    () => readIncident(edges, incidentId),
    ({ awareTs, nowTs }) =>
      awareTs === openedTs && awareTs + NOTIFY_WITHIN_MS > nowTs,
  );
  await take(
    "the audit log tells what was done",
    () => readBlastRadius(edges, incidentId, { actor: "command line" }, 1),
    ({ actions }) => (actions.get("incidents.write")?.allowed ?? 0) > 0,
  );
  const { parties } = await take("listed who outside gets data", () =>
    readEgress(edges),
  );
  const report = `${said.join("\n")}\nparties outside: ${parties.length}`;
  await take(
    "closed it with a report",
    () =>
      closeIncident(edges, "command line", incidentId, { version: 1, report }),
    ({ state }) => state === "closed",
  );
  return `${said.join("\n")}\nThe drill went through: incident ${incidentId}.`;
}
