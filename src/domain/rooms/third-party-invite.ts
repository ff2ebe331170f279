import { MatrixError } from "../../core/errors.ts";
import type { Requester } from "../accounts/requester.ts";
import type { PolicyEdges } from "../policies/enforce.ts";
import { getJoinedRoom } from "./joined-room.ts";

/** Nobody is found by an address without an identity server, and none is asked. */
export const thirdPartyDenied = (): MatrixError =>
  new MatrixError(
    "M_THREEPID_DENIED",
    "Invitations by e-mail or telephone are not served.",
  );

/** https://spec.matrix.org/v1.19/client-server-api/#third-party-invites */
export async function inviteThirdParty(
  edges: PolicyEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
): Promise<never> {
  await getJoinedRoom(edges, userId, roomId);
  throw thirdPartyDenied();
}
