/** A text to hash, or to hold against a stored hash. */
export interface PasswordQuestion {
  text: string;
  stored: string | null;
}

/** First the number of the thread, where the system has one; then answers. */
export type PasswordNews =
  | { thread: number | undefined }
  | { result: string | boolean }
  | { failure: string };
