import type { Endpoint } from "./endpoint.ts";

/** Every route that this server answers, in the order of the specification. */
export const endpoints: readonly Endpoint[] = [];
