import type {
  ShowSasCallbacks,
  VerificationRequest,
  Verifier,
} from "matrix-js-sdk/lib/crypto-api/index.js";
import { waitFor } from "../support/wait-for.ts";
import type { SdkDevice } from "./sdk-device.ts";

/** Phases of a request, as the SDK numbers them. */
const READY = 3;
const DONE = 6;

const phaseIs = (request: VerificationRequest, phase: number) =>
  waitFor(
    `verification in phase ${phase}`,
    [[request, "change"]],
    () => request.phase === phase,
  );

const shownBy = (verifier: Verifier): Promise<ShowSasCallbacks> =>
  waitFor(
    "emoji",
    [[verifier, "show_sas"]],
    () => verifier.getShowSasCallbacks() ?? undefined,
  );

const namesOf = ({ sas }: ShowSasCallbacks) =>
  (sas.emoji ?? []).map(([, name]) => name);

/** Two devices compare emoji over to-device messages, and trust each other; answers what both saw. */
export async function verifyByEmoji(
  asking: SdkDevice,
  asked: SdkDevice,
): Promise<{ asking: string[]; asked: string[] }> {
  const received = waitFor(
    "the request",
    [[asked.client, "crypto.verificationRequestReceived"]],
    () =>
      asked.crypto
        .getVerificationRequestsToDeviceInProgress(asking.userId)
        .at(0),
  );
  const outgoing = await asking.crypto.requestDeviceVerification(
    asked.userId,
    asked.deviceId,
  );
  const incoming = await received;
  await incoming.accept();
  await phaseIs(outgoing, READY);

  const verifier = await outgoing.startVerification("m.sas.v1");
  const twin = await waitFor(
    "the other side's verifier",
    [[incoming, "change"]],
    () => incoming.verifier,
  );
  const ends = [verifier.verify(), twin.verify()];
  const [ours, theirs] = await Promise.all([shownBy(verifier), shownBy(twin)]);
  await Promise.all([ours.confirm(), theirs.confirm()]);
  await Promise.all(ends);
  await Promise.all([phaseIs(outgoing, DONE), phaseIs(incoming, DONE)]);
  return { asking: namesOf(ours), asked: namesOf(theirs) };
}
