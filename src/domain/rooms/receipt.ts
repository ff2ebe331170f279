/** What became of one event from another server. */
export type Receipt =
  /** In the room's history. */
  | { status: "accepted"; eventId: string; isNew: boolean }
  /** Kept and marked: shown to nobody, cited by nothing that we build. */
  | {
      status: "soft-failed" | "rejected";
      eventId: string;
      isNew: boolean;
      reason: string;
    }
  /** Not kept: what it cites has to be fetched first. */
  | { status: "missing"; eventId: string; missing: readonly string[] }
  /** Not kept: it is no event of the room, or nobody has signed it. */
  | { status: "dropped"; eventId: string | null; reason: string };

export type Dropped = Extract<Receipt, { status: "dropped" }>;

export const dropped = (
  reason: string,
  eventId: string | null = null,
): Dropped => ({ status: "dropped", eventId, reason });
