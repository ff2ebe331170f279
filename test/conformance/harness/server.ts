import { createHmac, randomBytes } from "node:crypto";
import { Client, type Answer } from "./client.ts";
import { text, type JsonObject } from "./json.ts";
import { User } from "./user.ts";

export interface ServerOptions {
  baseUrl: string;
  /** The shared secret of /_synapse/admin/v1/register; without it accounts come from /register. */
  secret?: string | undefined;
  /** For /register where the server asks for one. */
  registrationToken?: string | undefined;
  /** Starts the server anew on the same data, and waits until it answers. */
  restart?: (() => Promise<void>) | undefined;
}

export interface AccountOptions {
  admin?: boolean;
  password?: string;
}

const RUN = randomBytes(4).toString("hex");
let accounts = 0;

/** The homeserver under test. */
export class Server extends Client {
  readonly options: ServerOptions;

  constructor(options: ServerOptions) {
    super(options.baseUrl);
    this.options = options;
  }

  /** A localpart that no other test of any run has. */
  newLocalpart(name: string): string {
    accounts += 1;
    return `${name}-${RUN}-${accounts}`;
  }

  /** Registers a new account by the name of its part in the test, and logs it in. */
  async user(name: string, options: AccountOptions = {}): Promise<User> {
    const username = this.newLocalpart(name);
    const password = options.password ?? `secret of ${username}`;
    const answer =
      this.options.secret === undefined
        ? await this.registerByForm({ username, password })
        : await this.registerBySecret({ username, password, ...options });
    return this.userOf(answer, password);
  }

  /** Another device of the same account. */
  async login(user: User, deviceId?: string): Promise<User> {
    const answer = await this.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: user.userId },
      password: user.password,
      ...(deviceId === undefined ? {} : { device_id: deviceId }),
    });
    return this.userOf(answer, user.password);
  }

  /** The logged-in device that an answer of /register or /login speaks of. */
  userOf(answer: Answer, password: string): User {
    if (answer.status !== 200)
      throw new Error(`no account: ${answer.status} ${answer.raw}`);
    return new User(this.baseUrl, {
      userId: text(answer.body, "user_id"),
      token: text(answer.body, "access_token"),
      deviceId: text(answer.body, "device_id"),
      password,
    });
  }

  /** POST /register through its interactive authentication. */
  async registerByForm(body: JsonObject): Promise<Answer> {
    const first = await this.post("/register", body);
    if (first.status !== 401) return first;
    const token = this.options.registrationToken;
    const stage =
      token === undefined
        ? { type: "m.login.dummy" }
        : { type: "m.login.registration_token", token };
    const session = first.body["session"];
    return this.post("/register", { ...body, auth: { ...stage, session } });
  }

  async registerBySecret(account: {
    username: string;
    password: string;
    admin?: boolean;
  }): Promise<Answer> {
    const target = "/_synapse/admin/v1/register";
    const nonce = text(await this.mustGet(target), "nonce");
    const { username, password, admin = false } = account;
    const mac = createHmac("sha1", this.options.secret ?? "")
      .update(
        [nonce, username, password, admin ? "admin" : "notadmin"].join("\0"),
      )
      .digest("hex");
    return this.post(target, { nonce, username, password, admin, mac });
  }
}
