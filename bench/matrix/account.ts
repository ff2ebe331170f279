import type { Http } from "./http.ts";

/** A user of the measured server, logged in on one device. */
export interface Account {
  readonly name: string;
  readonly userId: string;
  readonly token: string;
  /** The address that this account speaks to. */
  readonly http: Http;
}

export const PASSWORD = "a password for the bench";
