// The entry of a thread that hashes passwords: one at a time, behind everything else.
import { parentPort } from "node:worker_threads";
import { hashSync, verifySync } from "@node-rs/argon2";
import type { PasswordAnswer, PasswordQuestion } from "./password-messages.ts";
import { stepBehind } from "./step-behind.ts";

// argon2id with 19 MiB and two passes, as OWASP and NIST ask at least.
const OPTIONS = {
  algorithm: 2,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

stepBehind();

const answer = ({ text, stored }: PasswordQuestion): string | boolean =>
  stored === null ? hashSync(text, OPTIONS) : verifySync(stored, text);

parentPort?.on("message", (question: PasswordQuestion) => {
  let told: PasswordAnswer;
  try {
    told = { result: answer(question) };
  } catch (error) {
    told = { failure: String(error) };
  }
  parentPort?.postMessage(told);
});
