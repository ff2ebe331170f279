import type { Sql } from "./database.ts";

/** What the database knows of the server's secrets: fingerprints, never a secret. */
export interface SecretsRecord {
  /** By name (`master-1`, `pepper`, `signing`). */
  fingerprints: Readonly<Record<string, string>>;
  /** The epoch of the master key that wraps new keys. */
  epoch: number;
}

/** A signing key that is still published, so that old events verify. */
export interface OldSigningKey {
  keyId: string;
  publicKey: string;
  expiredTs: number;
}

const NAMES = ["master_epoch", "old_signing_keys", "secrets"];

export async function findSecretsRecord(
  sql: Sql,
): Promise<(SecretsRecord & { oldSigningKeys: OldSigningKey[] }) | undefined> {
  const rows = await sql<{ name: string; value: string }[]>`
    select name, value from server_settings where name = any(${NAMES})`;
  const values = new Map(rows.map((row) => [row.name, row.value]));
  const secrets = values.get("secrets");
  if (secrets === undefined) return undefined;
  return {
    fingerprints: JSON.parse(secrets) as Record<string, string>,
    epoch: Number(values.get("master_epoch")),
    oldSigningKeys: JSON.parse(
      values.get("old_signing_keys") ?? "[]",
    ) as OldSigningKey[],
  };
}

/**
 * Writes the record of a new database, unless another process did: the row is
 * the lock. A database that holds keys or users has lost its record; nothing is
 * written then.
 */
export async function insertSecretsRecord(
  sql: Sql,
  { fingerprints, epoch }: SecretsRecord,
): Promise<void> {
  await sql`
    insert into server_settings (name, value)
    select name, value from (values
      ('master_epoch', ${String(epoch)}), ('secrets', ${JSON.stringify(fingerprints)})
    ) as made (name, value)
    where not exists (select from keys) and not exists (select from users)
    order by name
    on conflict do nothing`;
}

/** Replaces the record, if it is still the one that was read; tells whether it was. */
export async function updateSecretsRecord(
  sql: Sql,
  old: SecretsRecord,
  next: SecretsRecord,
): Promise<boolean> {
  const changed = await sql`
    with changed as (
      update server_settings set value = ${JSON.stringify(next.fingerprints)}
      where name = 'secrets' and value = ${JSON.stringify(old.fingerprints)}
      returning name
    )
    update server_settings set value = ${String(next.epoch)}
    where name = 'master_epoch' and exists (select from changed)
    returning name`;
  return changed.length > 0;
}
