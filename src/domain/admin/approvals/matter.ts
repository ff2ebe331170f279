import type { ApprovalRow } from "../../../storage/approvals.ts";
import { isPermission } from "../permissions.ts";
import type { Matter } from "./approvers.ts";

/** What a sealed request is bound to. */
export const REQUEST_CONTEXT = "myelin approval request";

/** What who approves it must be able to do. In haste that is nothing but to decide at all. */
export const matterOf = (
  row: Pick<
    ApprovalRow,
    "requestedBy" | "requestedTs" | "userId" | "roomId" | "permissions"
  > &
    Partial<Pick<ApprovalRow, "isBreakGlass">>,
): Matter => ({
  requestedBy: row.requestedBy,
  requestedTs: row.requestedTs,
  userId: row.userId ?? "",
  roomId: row.roomId ?? "",
  permissions:
    row.isBreakGlass === true ? [] : row.permissions.filter(isPermission),
});
