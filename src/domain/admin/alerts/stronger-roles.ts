import type { Edges } from "../../../edges.ts";
import { listHoldersOf } from "../../../storage/authority.ts";
import type { Finding } from "./finding.ts";
import type { RecordFacts } from "./record-facts.ts";

/** Who has got more power because a role that they hold has. */
export async function findStrongerRoles(
  { db }: Pick<Edges, "db">,
  records: readonly RecordFacts[],
): Promise<Finding[]> {
  const changes = records.flatMap((facts) => {
    const added = addedIn(facts);
    const { roleId, seq } = facts;
    return roleId !== undefined && added.length > 0
      ? { roleId, seq, added }
      : [];
  });
  if (changes.length === 0) return [];
  const roleIds = new Set(changes.map(({ roleId }) => roleId));
  const holders = await listHoldersOf(db, [...roleIds]);
  return changes.flatMap(({ roleId, seq, added }) =>
    holders
      .filter((holder) => holder.roleId === roleId)
      .map(({ userId }) => ({
        detector: "new_administrator",
        severity: "high",
        // Above zero are the numbers of bindings.
        ...{ subject: userId, span: -seq, userId, recordSeq: seq },
        facts: { role: roleId, added },
      })),
  );
}

function addedIn({ isAllowed, before, after }: RecordFacts): string[] {
  const [had, has] = [before["permissions"], after["permissions"]];
  if (!isAllowed || !Array.isArray(had) || !Array.isArray(has)) return [];
  return has.filter(
    (each): each is string => typeof each === "string" && !had.includes(each),
  );
}
