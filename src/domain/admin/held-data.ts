import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import { listHeldData, type HeldDataRow } from "../../storage/holds.ts";
import { PERSONAL_TABLES } from "../privacy/personal-tables.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { readHold } from "./holds.ts";
import { noteRead } from "./note-read.ts";

export interface HeldData extends Pick<
  HeldDataRow,
  "userId" | "source" | "keptTs"
> {
  place: JsonObject;
  /** What it said; undefined where the key of whoever wrote it was destroyed. */
  content: JsonValue | undefined;
}

/** A page of what held users had besides events and files, and what was deleted or overwritten since; each is recorded. */
export async function exportHeldData(
  edges: Pick<Edges, "db" | "keyring" | "trail">,
  by: ActingAdministrator,
  holdId: string,
  { after, limit }: { after: number; limit: number },
): Promise<{ data: HeldData[]; next: number | undefined }> {
  const { db, keyring } = edges;
  await readHold(edges, holdId);
  const rows = await listHeldData(db, holdId, after, limit);
  noteRead(edges, by, `hold ${holdId}`, { read: "data", count: rows.length });
  const texts = await keyring.openAll(
    rows.map((row) => ({ ...row, context: contextOf(row) })),
  );
  const data = rows.map(({ place, ...row }, i) => ({
    ...{ ...row, place: place as JsonObject },
    content: valueOf(texts[i]),
  }));
  const next = rows.length === limit ? rows.at(-1)?.heldId : undefined;
  return { data, next };
}

/** What it was bound to where it stood. */
const contextOf = ({ source, userId, place }: HeldDataRow): string =>
  PERSONAL_TABLES.find(({ table }) => table === source)?.opens?.({
    ...place,
    user_id: userId,
  }) ?? "";

function valueOf(text: string | undefined): JsonValue | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
