import type { Edges } from "../../../edges.ts";
import { listKnownPlaces, type PlaceRow } from "../../../storage/alerts.ts";
import { listPowers } from "../../../storage/authority.ts";
import { listExistingUsers } from "../../../storage/users.ts";
import { groupBy } from "../../../util/group-by.ts";
import type { Finding } from "./finding.ts";
import { clientOf, networkOf, type RecordFacts } from "./record-facts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "settings">;
type Login = RecordFacts & { userId: string };

export interface Places {
  findings: Finding[];
  /** To be remembered. */
  seen: (PlaceRow & { seenTs: number })[];
}

const CONTEXT = "myelin known place";

/**
 * Logins from where, or by what, their users never came before. The first login of all is
 * none of these.
 */
export async function findNewPlaces(
  edges: Needs,
  records: readonly RecordFacts[],
): Promise<Places> {
  const logins = await watchedLogins(edges, records);
  const userIds = await listExistingUsers(edges.db, [
    ...new Set(logins.map(({ userId }) => userId)),
  ]);
  const keys = await edges.keyring.prepare(
    userIds.map((owner) => ({ scope: "user", owner, span: "" })),
  );
  const keyOf = new Map(userIds.map((userId, i) => [userId, keys[i]!]));
  const rows = groupBy(
    await listKnownPlaces(edges.db, userIds),
    ({ userId }) => userId,
  );
  const found: Places = { findings: [], seen: [] };
  for (const login of logins) {
    const { userId, seq, ts } = login;
    const key = keyOf.get(userId);
    if (!key) continue;
    const known = rows.get(userId) ?? [];
    const places = placesOf(login).map(({ kind, name }): PlaceRow => ({
      ...{ userId, kind },
      placeHash: edges.keyring.hashWords([`${kind} ${name}`], CONTEXT, key)[0]!,
    }));
    const isKnown = ({ placeHash }: PlaceRow) =>
      known.some((row) => row.placeHash === placeHash);
    const fresh = places.filter((place) => !isKnown(place));
    const kinds = fresh
      .map(({ kind }) => kind)
      .filter((kind) => known.some((row) => row.kind === kind));
    if (kinds.length > 0) {
      found.findings.push({
        detector: "new_place",
        severity: kinds.includes("country") ? "high" : "low",
        ...{ subject: userId, span: seq, userId, recordSeq: seq },
        facts: { new: kinds },
      });
    }
    rows.set(userId, [...known, ...fresh]);
    found.seen.push(...places.map((place) => ({ ...place, seenTs: ts })));
  }
  return found;
}

async function watchedLogins(
  { db, settings }: Needs,
  records: readonly RecordFacts[],
): Promise<Login[]> {
  const { newPlaces = "off" } = settings.alerts ?? {};
  if (newPlaces === "off") return [];
  const logins = records.flatMap(({ userId, ...record }) =>
    record.action === "auth.login" && record.isAllowed && userId !== undefined
      ? [{ ...record, userId }]
      : [],
  );
  if (newPlaces === "everyone" || logins.length === 0) return logins;
  const powers = await listPowers(db, [
    ...new Set(logins.map(({ userId }) => userId)),
  ]);
  const administrators = new Set(powers.map(({ userId }) => userId));
  return logins.filter(({ userId }) => administrators.has(userId));
}

/** A network says nothing where a proxy tells the country. */
function placesOf(
  login: RecordFacts,
): { kind: PlaceRow["kind"]; name: string }[] {
  const { country } = login;
  const [network, client] = [networkOf(login), clientOf(login)];
  return [
    ...(country !== undefined
      ? [{ kind: "country" as const, name: country }]
      : network !== undefined
        ? [{ kind: "network" as const, name: network }]
        : []),
    ...(client === undefined
      ? []
      : [{ kind: "client" as const, name: client }]),
  ];
}
