import { createEgress } from "../../src/remote/create-egress.ts";
import type {
  ClosableEgress,
  EgressOptions,
} from "../../src/remote/create-egress.ts";
import type { EgressRequest } from "../../src/remote/egress.ts";
import {
  EgressError,
  type EgressFailure,
} from "../../src/remote/egress-error.ts";

/** A name service that knows what it is told; it counts what it is asked. */
export interface NameService {
  asked: string[];
  resolve(host: string): Promise<readonly string[]>;
}

export function nameService(
  names: Readonly<
    Record<string, readonly string[] | (() => readonly string[])>
  >,
): NameService {
  const asked: string[] = [];
  return {
    asked,
    resolve(host) {
      asked.push(host);
      const found = names[host];
      if (found === undefined) return Promise.reject(new Error("NXDOMAIN"));
      return Promise.resolve(typeof found === "function" ? found() : found);
    },
  };
}

/** A client for the specs of a `describe`; it may call 127.0.0.1 unless told otherwise. */
export function useEgress(
  options: Partial<EgressOptions> = {},
): ClosableEgress {
  let made: ClosableEgress;
  before("make a client", () => {
    const { resolve } = nameService({});
    made = createEgress({
      allow: ["127.0.0.1"],
      deny: [],
      resolve,
      ...options,
    });
  });
  after("close the client", () => made.close());
  return {
    check: (wanted) => made.check(wanted),
    request: (wanted) => made.request(wanted),
    open: (wanted) => made.open(wanted),
    scan: (wanted) => made.scan(wanted),
    close: () => made.close(),
  };
}

/** Why a call failed; throws if it did not, or with another error. */
export async function failureOf(
  egress: Pick<ClosableEgress, "request">,
  wanted: Partial<EgressRequest> & { url: string },
): Promise<EgressFailure> {
  try {
    const { status } = await egress.request({ purpose: "preview", ...wanted });
    throw new TypeError(`${wanted.url} answered ${status}.`);
  } catch (error) {
    if (error instanceof EgressError) return error.failure;
    throw error;
  }
}
