import {
  arrayOf,
  named,
  object,
  oneOf,
  TEXT,
  USER_ID,
} from "../json-schema.ts";

interface StoredScope {
  scopeKind: string;
  scopeId: string;
  users?: readonly string[];
}

/** A scope as the admin API shows it. */
export const scopeAnswer = ({ scopeKind, scopeId, users }: StoredScope) => ({
  kind: scopeKind,
  ...(scopeId !== "" && { id: scopeId }),
  ...(scopeKind === "users" && users && { users }),
});

export const SCOPE_KINDS = [
  "server",
  "group",
  "space",
  "room",
  "users",
] as const;

export const SCOPE = named(
  "Scope",
  object({ kind: oneOf(SCOPE_KINDS) }, { id: TEXT, users: arrayOf(USER_ID) }),
);
