import type { Section } from "./schema-types.ts";

export const approvalsSchema = {
  type: "object",
  description: "What administrators do only when somebody else agrees.",
  properties: {
    required: {
      type: "array",
      items: { type: "string" },
      default: [
        "roles.*",
        "groups.write",
        "policies.activate",
        "holds.release",
        "backups.restore",
        "users.impersonate",
      ],
      description:
        'Permissions whose use takes a second person; "roles.*" stands for all of an area but reading it, "D" for all that destroys, "P" for all that reads what people wrote.',
    },
    when_alone: {
      type: "string",
      enum: ["allow", "refuse"],
      default: "allow",
      description:
        "What becomes of an act that takes a second person where nobody else might approve it: a company with one administrator can go on, and the audit log tells it; or it is refused.",
    },
    expire_hours: {
      type: "integer",
      minimum: 1,
      maximum: 8760,
      default: 72,
      description: "How long a request waits for somebody to approve it.",
    },
    use_hours: {
      type: "integer",
      minimum: 1,
      maximum: 8760,
      default: 24,
      description: "How long what was approved may be done, once.",
    },
    break_glass_minutes: {
      type: "integer",
      minimum: 1,
      maximum: 1440,
      default: 15,
      description:
        "How long two people may do what cannot wait for who might approve it.",
    },
  },
} as const satisfies Section;
