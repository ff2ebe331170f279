import type { Section } from "./schema-types.ts";

export const turnSchema = {
  type: "object",
  description:
    "A TURN server for calls between two, such as coturn with use-auth-secret.",
  properties: {
    uris: {
      type: "array",
      items: { type: "string", format: "turn-uri" },
      default: [],
      description:
        "Where it is, such as turn:turn.example.org?transport=udp. Without any, clients are told of none.",
    },
    shared_secret: {
      type: "string",
      secret: true,
      minLength: 1,
      example: "change me",
      description:
        "The secret that it shares with this server: static-auth-secret.",
    },
    ttl_seconds: {
      type: "integer",
      minimum: 60,
      maximum: 604_800,
      default: 86_400,
      description: "How long credentials are good for.",
    },
  },
} as const satisfies Section;
