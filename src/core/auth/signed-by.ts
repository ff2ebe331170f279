import type { RoomEvent } from "../event.ts";

/** Whether an event is validly signed by a server. */
export type IsSignedBy = (event: RoomEvent, serverName: string) => boolean;

export const hasSignatureOf: IsSignedBy = ({ pdu }, serverName) =>
  Object.hasOwn(pdu.signatures, serverName) &&
  Object.keys(pdu.signatures[serverName] ?? {}).length > 0;
