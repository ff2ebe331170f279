import type { Section } from "./schema-types.ts";

export const urlPreviewsSchema = {
  type: "object",
  description:
    "Previews of links: a title, a text and an image of the page. They are off unless you want them: for a preview this server fetches the page, so its owner learns that somebody here was sent the link. It asks the public internet alone; see egress.",
  properties: {
    enabled: {
      type: "boolean",
      default: false,
      description: "Whether previews are made.",
    },
    allow: {
      type: "array",
      items: { type: "string", format: "url-pattern" },
      default: [],
      description:
        "If it names any, only these addresses are fetched, redirects and images included. A pattern is a host, before it a scheme and behind it a port and a path if need be; * stands for any text: *.example.org, https://*, *:8443, example.org/help/*.",
    },
    deny: {
      type: "array",
      items: { type: "string", format: "url-pattern" },
      default: [],
      description: "Addresses that are not fetched, in the same form.",
    },
    accept_language: {
      type: "string",
      minLength: 1,
      default: "en",
      description:
        "The languages in which pages are asked for, as browsers send them: zh-CN,zh;q=0.9,en;q=0.5.",
    },
  },
} as const satisfies Section;
