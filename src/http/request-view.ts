import { streamBody } from "./body.ts";
import type { Exchange } from "./context.ts";
import type { RequestInfo } from "./endpoint.ts";

/** What a handler is told of its request; made when it is asked for. */
export class RequestView implements RequestInfo {
  readonly #exchange: Exchange;
  readonly #bodyIdleMs: number;
  #controller: AbortController | undefined;

  constructor(exchange: Exchange, bodyIdleMs: number) {
    this.#exchange = exchange;
    this.#bodyIdleMs = bodyIdleMs;
  }

  get ip() {
    return this.#exchange.state.ip;
  }

  get id() {
    return this.#exchange.state.requestId;
  }

  get headers() {
    return this.#exchange.req.headers;
  }

  get userAgent() {
    return this.headers["user-agent"] ?? "";
  }

  get caller() {
    return this.#exchange.state.caller;
  }

  content() {
    return streamBody(this.#exchange.req, this.#bodyIdleMs);
  }

  get signal() {
    this.#controller ??= this.#makeController();
    return this.#controller.signal;
  }

  #makeController(): AbortController {
    const { res } = this.#exchange;
    const controller = new AbortController();
    if (res.destroyed) controller.abort();
    else
      res.once("close", () => {
        // An abort is costly, and an answer that has left needs none.
        if (!res.writableFinished) controller.abort();
      });
    return controller;
  }
}
