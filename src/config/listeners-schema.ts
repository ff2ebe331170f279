import type { Section } from "./schema-types.ts";

/** Listeners besides the one of clients. */
export const listenersSchema = {
  type: "object",
  description: "Where else the server listens.",
  properties: {
    admin: {
      type: "object",
      description:
        "The administrators' listener: the admin APIs, and all that clients are served too.",
      properties: {
        host: {
          type: "string",
          minLength: 1,
          default: "127.0.0.1",
          description:
            "The address to listen on, with port. Any address that others can reach needs tls or behind_proxy.",
        },
        port: {
          type: "integer",
          minimum: 0,
          maximum: 65535,
          example: 8009,
          description:
            "The port to listen on; 0 takes any free one. If unset, the socket admin.sock in the data folder, for who owns that.",
        },
        on_client_listener: {
          type: "boolean",
          default: false,
          description:
            "Whether the admin APIs are served where clients are, too.",
        },
      },
    },
  },
} as const satisfies Section;
