import type { Sql } from "./database.ts";

export interface ConsentRow {
  policy: string;
  version: string;
  locale: string;
  isGiven: boolean;
  ts: number;
}

/** What somebody said last of each policy. */
export const listStandingConsents = (
  sql: Sql,
  userId: string,
): Promise<ConsentRow[]> => sql<ConsentRow[]>`
  select distinct on (policy) policy, version, locale, is_given, ts from consents
  where user_id = ${userId} order by policy, consent_id desc`;

const MOST = 1_000;

/** The ledger of a user, the newest first. */
export const listConsents = (
  sql: Sql,
  userId: string,
): Promise<ConsentRow[]> => sql<ConsentRow[]>`
  select policy, version, locale, is_given, ts from consents
  where user_id = ${userId} order by consent_id desc limit ${MOST}`;
