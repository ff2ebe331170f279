// The entry of a thread that reads pages: one at a time, behind everything else.
import { parentPort } from "node:worker_threads";
import type { HtmlAnswer, HtmlQuestion } from "./html-messages.ts";
import { stepBehind } from "./step-behind.ts";
import { readPage } from "./read-page.ts";

stepBehind();

parentPort?.on("message", (question: HtmlQuestion) => {
  let told: HtmlAnswer;
  try {
    told = { facts: readPage(question) };
  } catch (error) {
    told = { failure: String(error) };
  }
  parentPort?.postMessage(told);
});
