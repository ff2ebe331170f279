/**
 * The database is out of reach or too busy. The code, SQLSTATE's "connection
 * exception", is what the HTTP layer answers 503 to.
 */
export class StorageUnavailable extends Error {
  override name = "StorageUnavailable";
  readonly code = "08000";
  /** Whether the write is known not to have happened; its idempotency key settles the rest. */
  readonly isKnown: boolean;

  constructor(message: string, isKnown: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isKnown = isKnown;
  }
}

/** The database was waited for in vain: whoever waited for it once should wait for nothing else. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof StorageUnavailable) return true;
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "CONNECT_TIMEOUT";
}
