import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { GuessEdges } from "./guesses.ts";
import type { OpenedSession, SessionWish } from "./open-session.ts";
import { assertStrongPassword } from "./password.ts";
import { rateLimiterOf } from "./rate-limits.ts";
import {
  assertAvailable,
  registerAccount,
  type RegisterEdges,
} from "./register.ts";
import { assertRegistrationOpen } from "./registration-mode.ts";
import { assertRegistrationToken } from "./registration-token.ts";
import { setConsent, termsOf } from "../privacy/consent.ts";
import { authorise, type UiaDemand } from "./user-interactive.ts";

const TERMS = "m.login.terms";

export interface RegistrationForm {
  kind: "user" | "guest";
  localpart?: string;
  password?: string;
  /** Null where no session is wished for. */
  wish: SessionWish | null;
  address: string;
  auth: JsonObject | undefined;
}

export type RegistrationOutcome =
  | { status: "registered"; account: OpenedSession | { userId: string } }
  | { status: "challenged"; body: JsonObject };

/** Registration by anybody, as far as the settings allow it. */
export async function registerByForm(
  edges: RegisterEdges & GuessEdges,
  form: RegistrationForm,
): Promise<RegistrationOutcome> {
  const { localpart, password, wish, address, auth } = form;
  assertOpen(edges, form.kind);
  // What cannot succeed is refused before anybody is asked to prove anything.
  if (localpart !== undefined) await assertAvailable(edges, localpart);
  if (password !== undefined) assertStrongPassword(edges.settings, password);
  const outcome = await authorise(edges, demandOf(edges, address), auth);
  if (outcome.status === "challenged") return outcome;
  await rateLimiterOf(edges).take("register", address);
  if (password === undefined) {
    throw new MatrixError("M_MISSING_PARAM", "A password is needed.");
  }
  const isAgreed = edges.settings.consent.policies.length > 0;
  const registrationToken = outcome.details["registration_token"];
  const account = await registerAccount(
    edges,
    {
      password,
      ...(localpart !== undefined && { localpart }),
      ...(registrationToken !== undefined && { registrationToken }),
    },
    wish,
  );
  if (isAgreed) await setConsent(edges, account.userId, true);
  return { status: "registered", account };
}

function assertOpen(
  { settings }: Pick<GuessEdges, "settings">,
  kind: RegistrationForm["kind"],
): void {
  if (kind === "guest") {
    throw new MatrixError("M_FORBIDDEN", "This server has no guest accounts.");
  }
  assertRegistrationOpen(settings);
}

/** With the policies, where there are any, as the last stage. */
function demandOf(edges: GuessEdges, address: string): UiaDemand {
  const demand = plainDemandOf(edges, address);
  if (edges.settings.consent.policies.length === 0) return demand;
  const terms = termsOf(edges.settings);
  return {
    // What is agreed to is what was shown.
    operation: [...demand.operation, terms],
    flows: demand.flows.map((flow) => [...flow, TERMS]),
    stages: { ...demand.stages, [TERMS]: async () => ({}) },
    params: { [TERMS]: terms },
  };
}

function plainDemandOf(edges: GuessEdges, address: string): UiaDemand {
  const operation = ["POST /register"];
  if (edges.settings.registration.mode === "open") {
    const isDummy = async () => ({});
    return {
      operation,
      flows: [["m.login.dummy"]],
      stages: { "m.login.dummy": isDummy },
    };
  }
  return {
    operation,
    flows: [["m.login.registration_token"]],
    stages: {
      "m.login.registration_token": async ({ token }) => {
        if (typeof token !== "string") {
          throw new MatrixError("M_MISSING_PARAM", "The token is missing.");
        }
        await assertRegistrationToken(edges, token, address);
        return { registration_token: token };
      },
    },
  };
}
