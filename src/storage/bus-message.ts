import type { EphemeralHint } from "./notifier.ts";

/** Positions that a batch took, and whom it touched; without lists it touched too many to name. */
export interface BatchHint {
  /** By which the process that called for it knows it. */
  id?: string;
  from: number;
  to: number;
  rooms?: readonly number[];
  users?: readonly string[];
}

/** A batch, with whom it touched, at its place in the stream. */
export type SeenBatch = Required<Omit<BatchHint, "from" | "id">>;

/** What processes tell each other: hints only, the database is the truth. */
export type BusMessage =
  | { kind: "batch"; batch: BatchHint }
  | { kind: "ephemeral"; ephemeral: EphemeralHint }
  /** Every process that hears it answers `call`, where there is one. */
  | { kind: "revoked"; tokenIds: readonly number[]; call?: string }
  /** Every process answers `call` once it has seen the position. */
  | { kind: "reached"; position: number; call: string }
  | { kind: "heard"; call: string; by: string }
  | { kind: "keysDestroyed"; keyIds: readonly number[] };

/** A notification of PostgreSQL holds less than 8,000 bytes. */
const MOST_BYTES = 7900;

/** The texts that carry a message; long lists are parted over several. */
export function writeBusMessage(message: BusMessage): string[] {
  switch (message.kind) {
    case "batch":
      return [JSON.stringify(message.batch)];
    case "ephemeral":
      return writeEphemeral(message.ephemeral);
    case "revoked":
      return writeRevoked(message);
    case "reached":
      return [
        JSON.stringify({ reached: message.position, call: message.call }),
      ];
    case "heard":
      return [JSON.stringify({ heard: message.call, by: message.by })];
    case "keysDestroyed":
      return partList(message.keyIds, (destroyed) => ({ destroyed }));
  }
}

/** The call goes with the last part: what is heard in order is heard whole by then. */
function writeRevoked({
  tokenIds,
  call,
}: BusMessage & { kind: "revoked" }): string[] {
  const parts = partList(tokenIds, (revoked) => ({ revoked }));
  if (call !== undefined) parts.push(JSON.stringify({ revoked: [], call }));
  return parts;
}

function writeEphemeral({ mark, rooms = [], users = [] }: EphemeralHint) {
  const whole = JSON.stringify({ mark, rooms, users });
  if (Buffer.byteLength(whole) <= MOST_BYTES) return [whole];
  return [
    ...partList(rooms, (part) => ({ mark, isPart: true, rooms: part })),
    ...partList(users, (part) => ({ mark, isPart: true, users: part })),
  ];
}

function partList<T>(
  list: readonly T[],
  wrap: (part: readonly T[]) => object,
): string[] {
  if (list.length === 0) return [];
  const text = JSON.stringify(wrap(list));
  if (Buffer.byteLength(text) <= MOST_BYTES || list.length === 1) return [text];
  const middle = list.length >> 1;
  return [
    ...partList(list.slice(0, middle), wrap),
    ...partList(list.slice(middle), wrap),
  ];
}

/** Reads what came over the channel; undefined for what is no message of ours. */
export function readBusMessage(text: string): BusMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { from, to, mark, isPart, rooms, users, revoked, call, heard, by } =
    value as Partial<Record<string, unknown>>;
  const { id, destroyed, reached } = value as Partial<Record<string, unknown>>;
  if (isNumbers(revoked)) {
    const called = typeof call === "string" && { call };
    return { kind: "revoked", tokenIds: revoked, ...called };
  }
  if (isNumber(reached) && typeof call === "string")
    return { kind: "reached", position: reached, call };
  if (typeof heard === "string" && typeof by === "string")
    return { kind: "heard", call: heard, by };
  if (isNumbers(destroyed)) return { kind: "keysDestroyed", keyIds: destroyed };
  const lists = {
    ...(isNumbers(rooms) && { rooms }),
    ...(isTexts(users) && { users }),
  };
  if (isNumber(mark)) {
    const part = isPart === true && { isPart };
    return { kind: "ephemeral", ephemeral: { mark, ...part, ...lists } };
  }
  if (isNumber(from) && isNumber(to) && from < to) {
    const named = typeof id === "string" && { id };
    return { kind: "batch", batch: { ...named, from, to, ...lists } };
  }
  return undefined;
}

const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(isNumber);

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string");
