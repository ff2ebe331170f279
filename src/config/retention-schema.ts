import type { Section } from "./schema-types.ts";

export const retentionSchema = {
  type: "object",
  description:
    "How long things are kept is said by policies, see docs/administration/retention.md; without one nothing is destroyed.",
  properties: {
    key_backup_days: {
      type: "integer",
      minimum: 0,
      maximum: 365,
      default: 7,
      description:
        "How long you keep backups of the key table. What was destroyed is said to be unreadable in old backups only when those of its keys are gone too.",
    },
  },
} as const satisfies Section;
