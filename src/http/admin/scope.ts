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
