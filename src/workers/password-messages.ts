/** A text to hash, or to hold against a stored hash. */
export interface PasswordQuestion {
  text: string;
  stored: string | null;
}

export type PasswordAnswer = { result: string | boolean } | { failure: string };
