/** What the authorisation rules say of an event; the caller decides what follows. */
export type Verdict = "allowed" | { rejected: string };

export const rejected = (reason: string): Verdict => ({ rejected: reason });
