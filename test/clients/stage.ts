import { randomBytes } from "node:crypto";
import { useQuietConsole } from "../support/quiet-console.ts";
import { useDeployment, type Deployment } from "../support/server.ts";
import { useStory } from "../support/story.ts";
import { loadSdk, type Sdk } from "./sdk.ts";
import { SdkDevice } from "./sdk-device.ts";

/** Two servers on one database, and the devices of matrix-js-sdk that speak to them. */
export class Stage {
  readonly #deployment: Deployment;
  readonly #suffix = randomBytes(4).toString("hex");
  readonly #devices: SdkDevice[] = [];
  readonly #urls: string[] = [];
  #sdk: Sdk | undefined;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  async open(): Promise<void> {
    this.#sdk = await loadSdk();
    for (let i = 0; i < 2; i += 1)
      this.#urls.push((await this.#deployment.start()).url);
  }

  /** Servers are counted from 0. */
  url(server: number): string {
    const url = this.#urls[server];
    if (url === undefined) throw new TypeError(`no server ${server}`);
    return url;
  }

  /** A person's first device. */
  async register(name: string, server: number): Promise<SdkDevice> {
    const username = `${name}-${this.#suffix}`;
    const url = this.url(server);
    return this.#keep(SdkDevice.register(this.#loaded(), url, username));
  }

  /** Another device of the same person. */
  async logIn(person: SdkDevice, server: number): Promise<SdkDevice> {
    const url = this.url(server);
    return this.#keep(SdkDevice.logIn(this.#loaded(), url, person));
  }

  close(): void {
    for (const device of this.#devices) device.close();
  }

  #loaded(): Sdk {
    if (!this.#sdk) throw new TypeError("not open");
    return this.#sdk;
  }

  async #keep(coming: Promise<SdkDevice>): Promise<SdkDevice> {
    const device = await coming;
    this.#devices.push(device);
    return device;
  }
}

/** What each story of matrix-js-sdk begins with. */
export function useStage(): Stage {
  after("close the clients", () => stage.close());
  const stage = new Stage(useDeployment());
  useQuietConsole();
  useStory();
  before("start two servers on one database", function () {
    this.timeout(120_000);
    return stage.open();
  });
  return stage;
}
