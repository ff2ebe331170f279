import { createHmac } from "node:crypto";
import { PASSWORD, type Account } from "./account.ts";
import { must, parseAnswer, refusal, type Http } from "./http.ts";

/** How the measured server gives out accounts; openly where neither is known. */
export interface Registration {
  readonly secret?: string | undefined;
  readonly token?: string | undefined;
}

interface Session {
  user_id: string;
  access_token: string;
}

export async function register(
  http: Http,
  registration: Registration,
  name: string,
): Promise<Account> {
  const session =
    registration.secret === undefined
      ? await registerInStages(http, registration.token, name)
      : await registerBySecret(http, registration.secret, name);
  const { user_id: userId, access_token: token } = session;
  return { name, userId, token, http };
}

const SECRET_PATH = "/_synapse/admin/v1/register";

/** https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
async function registerBySecret(
  http: Http,
  secret: string,
  username: string,
): Promise<Session> {
  const { nonce } = await must<{ nonce: string }>(http, {
    method: "GET",
    path: SECRET_PATH,
  });
  const mac = createHmac("sha1", secret)
    .update([nonce, username, PASSWORD, "notadmin"].join("\0"))
    .digest("hex");
  const body = { nonce, username, password: PASSWORD, admin: false, mac };
  return must(http, { method: "POST", path: SECRET_PATH, body });
}

interface Challenge {
  session: string;
  flows: { stages: string[] }[];
  completed?: string[];
}

const PATH = "/_matrix/client/v3/register";
const MAX_STAGES = 4;

/** https://spec.matrix.org/v1.19/client-server-api/#account-registration */
async function registerInStages(
  http: Http,
  token: string | undefined,
  username: string,
): Promise<Session> {
  const form = { username, password: PASSWORD };
  let auth: object | undefined;
  for (let i = 0; i <= MAX_STAGES; i++) {
    const question = {
      method: "POST",
      path: PATH,
      body: { ...form, ...(auth && { auth }) },
    } as const;
    const answer = await http.ask(question);
    if (answer.status === 200) return parseAnswer<Session>(answer);
    if (answer.status !== 401) throw refusal(question, answer);
    const challenge = parseAnswer<Challenge>(answer);
    const type = nextStage(challenge, token !== undefined);
    auth = {
      type,
      session: challenge.session,
      ...(type === TOKEN_STAGE && { token }),
    };
  }
  throw new Error(`${PATH} asks for ever more stages`);
}

const TOKEN_STAGE = "m.login.registration_token";

function nextStage(
  { flows, completed = [] }: Challenge,
  hasToken: boolean,
): string {
  const able = new Set(["m.login.dummy", ...(hasToken ? [TOKEN_STAGE] : [])]);
  const flow = flows.find(({ stages }) => stages.every((s) => able.has(s)));
  const stage = flow?.stages.find((s) => !completed.includes(s));
  if (stage !== undefined) return stage;
  const offered = flows.map(({ stages }) => stages.join(" + ")).join(", ");
  throw new Error(
    `the server registers by ${offered}: give --secret or --registration-token, or let it register openly`,
  );
}
