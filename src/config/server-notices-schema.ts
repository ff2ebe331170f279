import type { Section } from "./schema-types.ts";

export const serverNoticesSchema = {
  type: "object",
  description:
    "What administrators have the server tell a user, each in a room of their own.",
  properties: {
    localpart: {
      type: "string",
      format: "localpart",
      default: "notices",
      description:
        "The name of the account that tells it. Nobody can register or log in to it.",
    },
    display_name: {
      type: "string",
      minLength: 1,
      default: "Server notices",
      description: "The name that is shown for it.",
    },
    avatar_url: {
      type: "string",
      format: "mxc",
      example: "mxc://example.org/abc",
      description: "Its picture, and that of the rooms.",
    },
    room_name: {
      type: "string",
      minLength: 1,
      default: "Server notices",
      description: "The name of the rooms.",
    },
    room_topic: {
      type: "string",
      example: "What this server has to tell you.",
      description: "The topic of the rooms.",
    },
  },
} as const satisfies Section;
