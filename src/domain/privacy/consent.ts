import { createHmac, timingSafeEqual } from "node:crypto";
import type { Edges, Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isUserId, type UserId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { PolicyDocument } from "../../core/policy-document.ts";
import {
  listConsents,
  listStandingConsents,
  type ConsentRow,
} from "../../storage/consents.ts";
import { getAccountRow } from "../admin/users/account.ts";
import type { WriteRows } from "../../storage/write.ts";

type Reads = Pick<Edges, "db" | "settings">;

/** For how long a link to a page to agree on is good: one is given out with each refusal. */
const LINK_MS = 24 * 60 * 60 * 1000;

/** A policy as it is now, in all its languages. */
export interface Policy {
  id: string;
  version: string;
  documents: PolicyDocument[];
}

export function policiesOf({ consent }: Pick<Settings, "consent">): Policy[] {
  const policies = new Map<string, Policy>();
  for (const document of consent.policies) {
    const { id, version } = document;
    const known = policies.get(id);
    if (known) known.documents.push(document);
    else policies.set(id, { id, version, documents: [document] });
  }
  return [...policies.values()];
}

/**
 * What `m.login.terms` shows.
 * https://spec.matrix.org/v1.19/client-server-api/#terms-of-service-at-registration
 */
export const termsOf = (settings: Pick<Settings, "consent">): JsonObject => ({
  policies: Object.fromEntries(
    policiesOf(settings).map(({ id, version, documents }) => [
      id,
      {
        version,
        ...Object.fromEntries(
          documents.map(({ locale, name, url }) => [locale, { name, url }]),
        ),
      },
    ]),
  ),
});

export interface Consents {
  policies: (Policy & { isGiven: boolean })[];
  ledger: ConsentRow[];
}

export async function readConsents(
  { db, settings }: Reads,
  userId: string,
): Promise<Consents> {
  const missing = await listMissing({ db, settings }, userId);
  return {
    policies: policiesOf(settings).map((policy) => ({
      ...policy,
      isGiven: !missing.some(({ id }) => id === policy.id),
    })),
    ledger: await listConsents(db, userId),
  };
}

/** The same of another one. @throws MatrixError M_NOT_FOUND */
export async function readConsentsOf(
  edges: Reads,
  userId: string,
): Promise<Consents> {
  await getAccountRow(edges, userId);
  return readConsents(edges, userId);
}

/** What somebody has not agreed to as it is now. */
async function listMissing(
  { db, settings }: Reads,
  userId: string,
): Promise<Policy[]> {
  const policies = policiesOf(settings);
  if (policies.length === 0) return [];
  const standing = await listStandingConsents(db, userId);
  return policies.filter(
    ({ id, version }) =>
      !standing.some(
        (row) => row.policy === id && row.version === version && row.isGiven,
      ),
  );
}

/** @throws MatrixError M_CONSENT_NOT_GIVEN with where to agree */
export async function assertConsented(
  edges: Reads & Pick<Edges, "now">,
  userId: string,
): Promise<void> {
  const missing = await listMissing(edges, userId);
  if (missing.length === 0) return;
  const url = consentUrl(edges, userId);
  throw new MatrixError(
    "M_CONSENT_NOT_GIVEN",
    `Agree to the policies of this server first: ${url}`,
    { consent_uri: url },
  );
}

/** The rows of agreeing to all that there is, or of withdrawing it. */
export const consentRows = (
  settings: Pick<Settings, "consent">,
  userId: string,
  isGiven: boolean,
  locale?: string,
): WriteRows["consents"] =>
  policiesOf(settings).map(({ id, version, documents }) => {
    const shown =
      documents.find((each) => each.locale === locale) ?? documents[0]!;
    return { userId, policy: id, version, locale: shown.locale, isGiven };
  });

/** Agrees to all policies as they are now, or withdraws it. */
export async function setConsent(
  { committer, settings }: Pick<Edges, "committer" | "settings">,
  userId: string,
  isGiven: boolean,
  locale?: string,
): Promise<void> {
  const consents = consentRows(settings, userId, isGiven, locale);
  if (consents.length === 0)
    throw new MatrixError("M_NOT_FOUND", "There is nothing to agree to here.");
  const outcome = await committer.commit({
    positions: 1,
    activeUsers: [userId],
    rows: { consents },
  });
  if (outcome.status !== "committed")
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
}

const PATH = "/_myelin/client/v1/consent";

type Linking = Pick<Edges, "now" | "settings">;

/** Where a user reads and agrees, without a session, for a day. */
export const consentUrl = (
  { now, settings }: Linking,
  userId: string,
): string => {
  const base = settings.publicBaseUrl ?? `https://${settings.serverName}`;
  return `${base}${PATH}?token=${tokenOf(settings, userId, now() + LINK_MS)}`;
};

/** Whose link it is. @throws MatrixError M_NOT_FOUND for one that this server has not made for these policies, or that is over */
export function parseConsentToken(
  { now, settings }: Linking,
  token: string,
): UserId {
  const [name = "", until = ""] = token.split(".");
  const userId = Buffer.from(name, "base64url").toString();
  const untilTs = Number(until);
  const right = Buffer.from(tokenOf(settings, userId, untilTs));
  const given = Buffer.from(token);
  const isRight =
    given.length === right.length && timingSafeEqual(given, right);
  if (isRight && untilTs > now() && isUserId(userId)) return userId;
  throw new MatrixError(
    "M_NOT_FOUND",
    "This link is not known here, or is over. What asks for consent gives a new one.",
  );
}

/** Good for the policies as they are now, and no others. */
function tokenOf(
  settings: Pick<Settings, "consent" | "password">,
  userId: string,
  untilTs: number,
): string {
  const policies = policiesOf(settings).map(({ id, version }) => [id, version]);
  const mac = createHmac("sha256", settings.password.pepper)
    .update(JSON.stringify(["consent", userId, untilTs, policies]))
    .digest("base64url");
  const name = Buffer.from(userId).toString("base64url");
  return `${name}.${untilTs}.${mac}`;
}
