import type { Endpoint } from "../endpoint.ts";

/** Clients and test-suites expect it where they register. */
const REGISTRATION = "/_synapse/admin/v1/register";

/** Whether a path belongs to the administrators' own listener. */
const isOfAdministrators = (path: string): boolean =>
  /^\/_(?:myelin|synapse)\/admin\//.test(path) && path !== REGISTRATION;

/** What clients are served: also of an endpoint with paths of both no path of administrators. */
export const forClients = (endpoints: readonly Endpoint[]): Endpoint[] =>
  endpoints
    .filter(({ path }) => !isOfAdministrators(path))
    .map((each) => ({
      ...each,
      ...(each.also && {
        also: each.also.filter((path) => !isOfAdministrators(path)),
      }),
    }));
