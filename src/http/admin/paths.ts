/** Clients and test-suites expect it where they register. */
const REGISTRATION = "/_synapse/admin/v1/register";

/** Whether a path belongs to the administrators' own listener. */
export const isOfAdministrators = (path: string): boolean =>
  /^\/_(?:myelin|synapse)\/admin\//.test(path) && path !== REGISTRATION;
