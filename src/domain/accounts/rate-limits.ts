/** What is counted together. Each kind has its own bucket per key. */
export type RateLimitKind =
  | "login"
  | "register"
  | "message"
  | "createRoom"
  | "join"
  | "invite"
  | "profile"
  | "keys"
  | "toDevice"
  | "ephemeral"
  | "search"
  | "report"
  | "admin"
  | "other";

export interface RateLimiter {
  /**
   * Takes `cost` (1 unless said) tokens from the bucket of `kind` and `key` (an
   * address or a user id). Throws `M_LIMIT_EXCEEDED` with `retry_after_ms`.
   */
  take(kind: RateLimitKind, key: string, cost?: number): Promise<void>;
}
