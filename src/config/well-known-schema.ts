import type { Section } from "./schema-types.ts";

export const wellKnownSchema = {
  type: "object",
  description:
    "What clients find at /.well-known/matrix/client besides public_base_url, and others beside it.",
  properties: {
    identity_server: {
      type: "string",
      format: "base-url",
      example: "https://identity.example.org",
      description:
        "An identity server that clients may use: m.identity_server.",
    },
    server: {
      type: "string",
      format: "server-name",
      example: "matrix.example.org:443",
      description:
        "What is told at /.well-known/matrix/server, by which tools such as synadm learn this server's name. If unset, nothing is: there is no federation yet.",
    },
    extra: {
      type: "string",
      format: "json-object",
      default: "{}",
      description:
        "Further members, as JSON in quotes: where calls of many meet (org.matrix.msc4143.rtc_foci), what Element shall do (io.element.e2ee), and the like.",
    },
  },
} as const satisfies Section;
