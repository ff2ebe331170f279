// The entry of a thread that hashes passwords: one at a time, behind everything else.
import { parentPort } from "node:worker_threads";
import { hashSync, verifySync } from "@node-rs/argon2";
import type { PasswordNews, PasswordQuestion } from "./password-messages.ts";
import { beginBehind } from "./thread-class.ts";

// argon2id with 19 MiB and two passes, as OWASP and NIST ask at least.
const OPTIONS = {
  algorithm: 2,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

const tell = (news: PasswordNews): void => parentPort?.postMessage(news);

tell({ thread: beginBehind() });

const answer = ({ text, stored }: PasswordQuestion): string | boolean =>
  stored === null ? hashSync(text, OPTIONS) : verifySync(stored, text);

parentPort?.on("message", (question: PasswordQuestion) => {
  try {
    tell({ result: answer(question) });
  } catch (error) {
    tell({ failure: String(error) });
  }
});
