import type { NamedPolicy, PolicyDocument } from "../core/policy/document.ts";
import type { Sql } from "./database.ts";
import { POLICIES_TOPIC, type Notifier } from "./notifier.ts";
import { listActivePolicies } from "./policies.ts";

/** The policies in force, as far as this process has followed the stream. */
export interface ActivePolicies {
  /** Known without asking: there are none. */
  readonly areNone: boolean;
  read(): Promise<readonly NamedPolicy[]>;
  /** What it remembers may be old. */
  forget(): void;
  now(): number;
}

interface Known {
  /** All changes up to here are in it. */
  upTo: number;
  policies: readonly NamedPolicy[];
}

/**
 * Remembers the policies until the stream says that they changed. Where it may have, or
 * where that is not known, the database is asked.
 */
export function createActivePolicies(
  sql: Sql,
  notifier: Pick<Notifier, "position" | "isTouched">,
  now: () => number,
): ActivePolicies {
  let known: Known | undefined;
  let loading: Promise<Known> | undefined;

  const find = (): Known | undefined => {
    if (!known) return undefined;
    const { position } = notifier;
    if (position > known.upTo) {
      if (notifier.isTouched(POLICIES_TOPIC, known.upTo)) return undefined;
      known.upTo = position;
    }
    return known;
  };

  const load = async (): Promise<Known> => {
    // What changes while it is read lies above this, and has it read anew.
    const upTo = notifier.position;
    const rows = await listActivePolicies(sql);
    const policies = rows.map(({ document, ...row }) => ({
      ...row,
      document: JSON.parse(document) as PolicyDocument,
    }));
    return (known = { upTo, policies });
  };

  return {
    get areNone() {
      return find()?.policies.length === 0;
    },
    async read() {
      const found = find();
      if (found) return found.policies;
      // Whoever began to read may have done so before the change that this one heard of.
      const begun = notifier.position;
      for (;;) {
        loading ??= load().finally(() => (loading = undefined));
        const { upTo, policies } = await loading;
        if (upTo >= begun) return policies;
      }
    },
    forget() {
      known = undefined;
    },
    now,
  };
}
