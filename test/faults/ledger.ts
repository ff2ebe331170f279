export interface Sent {
  sender: string;
  roomId: string;
  eventId: string;
  /** Counted by each sender. */
  number: number;
}

export interface DeviceMessage {
  sender: string;
  recipient: string;
  number: number;
}

/** What the server has acknowledged. */
export class Ledger {
  readonly sent: Sent[] = [];
  readonly deviceMessages: DeviceMessage[] = [];
  /** Room and user → the event that was read last. */
  readonly receipts = new Map<string, string>();
  /** User → the value stored last. */
  readonly accountData = new Map<string, number>();
  /** Room and user → the value of the user's state event. */
  readonly states = new Map<string, number>();
  /** User → ids of the one-time keys uploaded. */
  readonly keys = new Map<string, string[]>();
  /** All acknowledgements. */
  count = 0;
}
