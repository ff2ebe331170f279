import type { Errcode } from "../core/errors.ts";

const mark: unique symbol = Symbol("reply");

/** An answer with a status or headers of its own, or one that is already bytes. */
export interface Reply {
  readonly [mark]: true;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** An object is serialised; a string is JSON already, unless a header says otherwise. */
  readonly body: object | string | Buffer;
  /** What follows a body that is a string, read as it is sent. */
  readonly rest?: AsyncIterable<string>;
  /** Bytes in place of the body, begun before the status leaves; not asked for by HEAD. */
  readonly file?: () => AsyncIterable<Uint8Array>;
}

export function reply(
  answer: Partial<Pick<Reply, "status" | "headers" | "body" | "rest" | "file">>,
): Reply {
  const { status = 200, headers = NONE, body = NONE, rest, file } = answer;
  return {
    ...{ [mark]: true as const, status, headers, body },
    ...(rest && { rest }),
    ...(file && { file }),
  };
}

const NONE = Object.freeze({});

export function isReply(answer: object): answer is Reply {
  return mark in answer;
}

/** Statuses that differ from the common table, by error code. */
export type StatusOverrides = Partial<Record<Errcode, number>>;
