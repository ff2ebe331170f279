import type { Section } from "./schema-types.ts";

export const egressSchema = {
  type: "object",
  description:
    "Which other machines this server calls: for URL previews, push gateways and the like. Of itself it calls the public internet alone.",
  properties: {
    allow: {
      type: "array",
      items: { type: "string", format: "network-or-host" },
      default: [],
      description:
        "What may be called though it is not public or is denied below: addresses, networks, host names. A push gateway of your own network belongs here; only what is named here is also called without TLS, but for previews.",
    },
    deny: {
      type: "array",
      items: { type: "string", format: "network-or-any-host" },
      default: [],
      description:
        "Addresses, networks and host names that are not called, besides private, local and reserved networks, which never are; or * for whatever is not allowed above.",
    },
  },
} as const satisfies Section;
