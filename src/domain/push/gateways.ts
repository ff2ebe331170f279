import type { Edges } from "../../edges.ts";
import type { JsonObject } from "../../core/json.ts";
import { Turns } from "../../util/turns.ts";
import { tellGateway, type GatewayOutcome } from "./push-gateway.ts";

/** Calls to one gateway at once. */
const AT_ONCE = 20;
/** How long a gateway that did not answer is left alone. */
const LEFT_ALONE_MS = 5000;
const MOST_REMEMBERED = 10_000;

/**
 * The gateways as one process calls them: each has calls of its own, so one that
 * hangs keeps nobody but its own pushers waiting, and those not one after the other.
 */
export class Gateways {
  readonly #turns = new Turns(AT_ONCE);
  readonly #silentUntil = new Map<string, number>();

  tell(
    edges: Pick<Edges, "egress">,
    url: string,
    pushkey: string,
    notification: JsonObject,
    signal: AbortSignal,
  ): Promise<GatewayOutcome> {
    const { origin } = new URL(url);
    return this.#turns.run(origin, async () => {
      if (signal.aborted || this.#isSilent(origin)) return "silent";
      const outcome = await tellGateway(
        edges,
        url,
        pushkey,
        notification,
        signal,
      );
      this.#note(origin, outcome);
      return outcome;
    });
  }

  #isSilent(origin: string): boolean {
    return (this.#silentUntil.get(origin) ?? 0) > performance.now();
  }

  #note(origin: string, outcome: GatewayOutcome): void {
    this.#silentUntil.delete(origin);
    if (outcome !== "silent") return;
    this.#silentUntil.set(origin, performance.now() + LEFT_ALONE_MS);
    for (const oldest of this.#silentUntil.keys()) {
      if (this.#silentUntil.size <= MOST_REMEMBERED) break;
      this.#silentUntil.delete(oldest);
    }
  }
}
