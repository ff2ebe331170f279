import { isJsonObject, type JsonObject } from "../../../core/json.ts";
import { readJson } from "../../../core/json-reader.ts";
import type { Edges } from "../../../edges.ts";
import {
  listApprovals,
  type ApprovalRow,
  type ApprovalSearch,
} from "../../../storage/approvals.ts";
import { getApproval } from "./decide.ts";
import { REQUEST_CONTEXT } from "./matter.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** A request, and what was asked for without its secrets; null where that was erased. */
export type Approval = ApprovalRow & { request: JsonObject | null };

export async function readApproval(
  edges: Needs,
  approvalId: string,
): Promise<Approval> {
  const row = await getApproval(edges, approvalId);
  const [opened] = await open(edges, [row]);
  return opened!;
}

export async function searchApprovals(
  edges: Needs,
  search: ApprovalSearch,
): Promise<{ approvals: Approval[]; total: number }> {
  const { approvals, total } = await listApprovals(edges.db, search);
  return { approvals: await open(edges, approvals), total };
}

async function open(
  { keyring }: Needs,
  rows: readonly ApprovalRow[],
): Promise<Approval[]> {
  const texts = await keyring.openAll(
    rows.map((row) => ({ ...row, context: REQUEST_CONTEXT })),
  );
  return rows.map((row, i) => {
    const text = texts[i];
    const told = text === undefined ? null : readJson(text);
    return { ...row, request: isJsonObject(told) ? told : null };
  });
}
