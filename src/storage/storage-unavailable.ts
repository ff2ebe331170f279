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
