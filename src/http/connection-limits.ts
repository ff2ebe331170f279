import type { Server } from "node:http";
import type { Socket } from "node:net";
import { limitKeyOf } from "../util/limit-key.ts";
import { plainAddress } from "./address.ts";

/** How many connections one process holds. */
export interface ConnectionLimits {
  /** In all. */
  most: number;
  /** Of one address, as rate limits count it. */
  mostOfAddress: number;
  /** Whether an address may have them all: a proxy, through which everybody comes. */
  isProxy(address: string): boolean;
  /** Told of the first that is refused, and then each minute of how many were. */
  onRefused(refused: { count: number; address: string }): void;
}

const TELL_EVERY_MS = 60_000;

/** Ends what is beyond the limits before a byte of it is read. */
export function limitConnections(
  server: Server,
  limits: ConnectionLimits,
): void {
  const accept = server.listeners("connection") as Listener[];
  const held = new Map<string, number>();
  let all = 0;
  let refused = 0;
  let toldAt = -Infinity;

  const take = (socket: Socket): boolean => {
    const address = plainAddress(socket.remoteAddress ?? "");
    const key = limitKeyOf(address);
    const own = held.get(key) ?? 0;
    const isFull = own >= limits.mostOfAddress && !limits.isProxy(address);
    if (all >= limits.most || isFull) {
      tell(address);
      return false;
    }
    all += 1;
    held.set(key, own + 1);
    socket.on("close", () => {
      all -= 1;
      const left = (held.get(key) ?? 0) - 1;
      if (left > 0) held.set(key, left);
      else held.delete(key);
    });
    return true;
  };

  const tell = (address: string): void => {
    refused += 1;
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    limits.onRefused({ count: refused, address });
    toldAt = now;
    refused = 0;
  };

  // In place of Node's own listener: a parser, or TLS, would be made for it.
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    if (!take(socket)) return void socket.destroy();
    for (const listen of accept) listen.call(server, socket);
  });
}

type Listener = (socket: Socket) => void;
