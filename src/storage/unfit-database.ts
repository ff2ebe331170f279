/** The database is unsafe, or not one of this program; the message says what to do. */
export class UnfitDatabaseError extends Error {
  override readonly name = "UnfitDatabaseError";
}
