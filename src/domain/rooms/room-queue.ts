import { MatrixError } from "../../core/errors.ts";
import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Proposal, ProposalResult } from "./proposal.ts";
import type { RoomHead } from "./room-head.ts";
import type { WriterEdges } from "./writer-edges.ts";

/** Proposals that enter the room together or not at all. */
export interface Group {
  /** Of who proposes it. */
  edges: WriterEdges;
  proposals: readonly Proposal[];
  /** Rows that commit with the group whatever its events. */
  rows: Partial<WriteRows>;
  audit: readonly AuditDraft[];
  /** @param isCommitted false for what was answered from earlier, or had nothing to write */
  resolve(results: ProposalResult[], isCommitted: boolean): void;
  reject(error: unknown): void;
}

/** What waits for one room, and what this process knows of the room's end. */
export interface RoomQueue {
  waiting: Group[];
  isRunning: boolean;
  head: RoomHead | undefined;
}

/** What was proposed has to be made anew on what stands now: see `makeAnew`. */
export class LostRace extends Error {
  override name = "LostRace";
}

export const tooBusy = (): MatrixError =>
  new MatrixError(
    "M_LIMIT_EXCEEDED",
    "This room is too busy. Try again shortly.",
    { retry_after_ms: 1000 },
  );

export const roomInUse = (): MatrixError =>
  new MatrixError("M_ROOM_IN_USE", "This room alias is already taken.");
