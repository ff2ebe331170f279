import { mapInParallel, upTo } from "../load/in-parallel.ts";
import type { Account } from "./account.ts";
import type { Http } from "./http.ts";
import { register, type Registration } from "./register.ts";

/** Hashing a password is most of it, and a server does few at once; the rest is done meanwhile. */
const AT_ONCE = 16;
/** From so many on it is worth while to open the database. */
const MANY = 100;

/** Makes accounts of these names without the client-server API. */
export type ImportAccounts = (
  names: readonly string[],
) => Promise<Omit<Account, "http">[]>;

/** How a server gives out accounts: one by one, and perhaps many at a time. */
export interface AccountSource {
  readonly registration: Registration;
  readonly importAccounts?: ImportAccounts;
}

/** The accounts of one run, dealt out evenly over the server's addresses. */
export class Accounts {
  readonly #https: readonly Http[];
  readonly #source: AccountSource;
  readonly #prefix: string;
  readonly #crowd: Account[] = [];
  #count = 0;

  constructor(https: readonly Http[], source: AccountSource, prefix: string) {
    this.#https = https;
    this.#source = source;
    this.#prefix = prefix;
  }

  /** New accounts, for whom it matters what else they are in. */
  async create(count: number): Promise<Account[]> {
    const { registration, importAccounts } = this.#source;
    const places = upTo(count).map(() => this.#nextPlace());
    if (importAccounts === undefined || count < MANY)
      return mapInParallel(places, AT_ONCE, ({ http, name }) =>
        register(http, registration, name),
      );
    const made = await importAccounts(places.map(({ name }) => name));
    return made.map((account, i) => through(places[i]!.http, account));
  }

  /** The first of a crowd that scenarios share, since accounts are costly to make. */
  async crowd(count: number): Promise<Account[]> {
    const lacking = Math.max(0, count - this.#crowd.length);
    this.#crowd.push(...(await this.create(lacking)));
    return this.#crowd.slice(0, count);
  }

  #nextPlace(): { http: Http; name: string } {
    const number = this.#count++;
    const http = this.#https[number % this.#https.length]!;
    return { http, name: `${this.#prefix}-${number}` };
  }
}

/** The same account, speaking to another address. */
export const through = (
  http: Http,
  account: Omit<Account, "http">,
): Account => ({ ...account, http });
