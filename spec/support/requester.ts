import type { UserId } from "../../src/core/ids.ts";
import type { Requester } from "../../src/domain/accounts/requester.ts";
import type { TestUser } from "./server.ts";

/** Who a use-case is told that asks. */
export const requesterOf = (user: TestUser): Requester => ({
  userId: user.userId as UserId,
  deviceId: user.deviceId,
  tokenId: 0,
  isGuest: false,
  isSuspended: false,
});
