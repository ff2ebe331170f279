import { mapInParallel, upTo } from "../load/in-parallel.ts";
import type { Account } from "./account.ts";
import type { Http } from "./http.ts";
import { register, type Registration } from "./register.ts";

/** Hashing a password is most of it, and a server does few at once; the rest is done meanwhile. */
const AT_ONCE = 16;

/** The accounts of one run, dealt out evenly over the server's addresses. */
export class Accounts {
  readonly #https: readonly Http[];
  readonly #registration: Registration;
  readonly #prefix: string;
  readonly #crowd: Account[] = [];
  #count = 0;

  constructor(
    https: readonly Http[],
    registration: Registration,
    prefix: string,
  ) {
    this.#https = https;
    this.#registration = registration;
    this.#prefix = prefix;
  }

  /** New accounts, for whom it matters what else they are in. */
  create(count: number): Promise<Account[]> {
    return mapInParallel(upTo(count), AT_ONCE, () => this.#register());
  }

  /** The first of a crowd that scenarios share, since accounts are costly to make. */
  async crowd(count: number): Promise<Account[]> {
    const lacking = Math.max(0, count - this.#crowd.length);
    this.#crowd.push(...(await this.create(lacking)));
    return this.#crowd.slice(0, count);
  }

  #register(): Promise<Account> {
    const number = this.#count++;
    const http = this.#https[number % this.#https.length]!;
    return register(http, this.#registration, `${this.#prefix}-${number}`);
  }
}

/** The same account, speaking to another address. */
export const through = (http: Http, account: Account): Account => ({
  ...account,
  http,
});
