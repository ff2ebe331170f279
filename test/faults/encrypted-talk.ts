import { setTimeout as pause } from "node:timers/promises";
import type {
  Account,
  DeviceProgram,
  Login,
} from "../clients/device-program.ts";
import {
  hasNio,
  startNioDevice,
  startSdkDevice,
} from "../clients/start-device.ts";
import { checkReadings, type Found, type Sent } from "./check-readings.ts";
import type { Outcome } from "./proof.ts";
import type { Chance } from "./random.ts";

/** One person's device, in a process of its own. */
interface Device {
  name: string;
  program: DeviceProgram;
  userId: string;
  deviceId: string;
}

/** So often has each sender a new key to share. */
const ENCRYPTION = {
  algorithm: "m.megolm.v1.aes-sha2",
  rotation_period_msgs: 20,
};
/** Between two messages of a device, at most. */
const PAUSE_MS = 40;
const PASSWORD = "a password for the faults";

/** Devices in one room, each of which says one thing after the other until it is acknowledged. */
export class EncryptedTalk {
  readonly #server: { readonly url: string };
  readonly #chance: Chance;
  readonly #units: number;
  readonly #programs: DeviceProgram[] = [];
  readonly #devices: Device[] = [];
  readonly #sent: Sent[] = [];
  #begun = 0;
  #roomId = "";
  #fault: Error | undefined;

  constructor(server: { readonly url: string }, chance: Chance, units: number) {
    this.#server = server;
    this.#chance = chance;
    this.#units = units;
  }

  /** Accounts, devices and the room, before anything is broken. */
  async prepare(): Promise<void> {
    const first = (name: string) =>
      this.#enter(startSdkDevice(), name, (program, account) =>
        program.ask("register", account),
      );
    const [host, guest] = await Promise.all([first("alice"), first("bob")]);
    const second = (name: string, program: DeviceProgram, slides: boolean) =>
      this.#enter(program, name, (program, account) =>
        program.ask("log_in", { ...account, slides }),
      );
    const more = await Promise.all([
      second("alice", startSdkDevice(), true),
      second("bob", startSdkDevice(), true),
      ...(hasNio ? [second("alice", startNioDevice(), false)] : []),
    ]);
    this.#devices.push(host, guest, ...more);
    this.#roomId = await host.program.ask("create_room", {
      invite: [guest.userId],
      encryption: ENCRYPTION,
    });
    await guest.program.ask("join", { room_id: this.#roomId });
    await this.#meet(this.#devices);
    for (const device of this.#devices) await this.#greet(device);
  }

  start(): void {
    for (const device of this.#devices) void this.#talk(device);
  }

  /** Resolves when so many messages are acknowledged. */
  async progress(count: number): Promise<void> {
    while (this.#sent.length < count && !this.#fault) await pause(5);
    if (this.#fault) throw this.#fault;
  }

  /** Another device of bob's, in the room from when all know it. */
  async addDevice(): Promise<void> {
    const device = await this.#enter(
      startSdkDevice(),
      "bob",
      (program, account) => program.ask("log_in", account),
    );
    const others = [...this.#devices];
    await this.#meet([...others, device]);
    this.#devices.push(device);
    void this.#talk(device, others);
  }

  /** Lets all read to the end, and compares. */
  async finish(): Promise<Outcome> {
    const [speaker, ...others] = this.#devices as [Device, ...Device[]];
    const { eventId } = await this.#say(speaker, "the end");
    await this.#hear(others, eventId);
    const room = { room_id: this.#roomId };
    const found: Found[] = await Promise.all(
      this.#devices.map(async ({ name, program }) => ({
        name,
        reading: await program.ask("read", room),
        following: await program.ask("following", {}),
      })),
    );
    const { counts, claims } = checkReadings(this.#sent, found);
    return {
      counts: {
        "devices of matrix-js-sdk": this.#devices.length - Number(hasNio),
        "devices of matrix-nio": Number(hasNio),
        ...counts,
      },
      claims,
    };
  }

  abandon(): void {
    this.#fault ??= new Error("given up");
    for (const program of this.#programs) program.kill();
  }

  /**
   * Says something that all others hear. So no two devices begin to speak to each
   * other at once, after which each would share its key again, from where it has come
   * to: of two such keys that come with one sync, matrix-js-sdk keeps the later one.
   */
  async #greet(device: Device): Promise<void> {
    this.#begun += 1;
    const { eventId } = await this.#say(device, `message ${this.#begun}`);
    const others = this.#devices.filter((other) => other !== device);
    await this.#hear(others, eventId);
  }

  /** For the same reason waits until a device that is new has heard each of the others. */
  async #listen(device: Device, others: readonly Device[]): Promise<void> {
    for (const { name } of others) {
      const isHeard = ({ sender, readers }: Sent) =>
        sender === name && readers.includes(device.name);
      let first = this.#sent.find(isHeard);
      while (!first && this.#begun < this.#units && !this.#fault) {
        await pause(5);
        first = this.#sent.find(isHeard);
      }
      if (first) await this.#hear([device], first.eventId);
    }
  }

  async #hear(devices: readonly Device[], eventId: string): Promise<void> {
    const event = { event_id: eventId };
    await Promise.all(devices.map(({ program }) => program.ask("hear", event)));
  }

  /** Begins once it has heard those who were there before. */
  async #talk(device: Device, before: readonly Device[] = []): Promise<void> {
    try {
      await this.#listen(device, before);
      while (this.#begun < this.#units && !this.#fault) {
        this.#begun += 1;
        await this.#say(device, `message ${this.#begun}`);
        await pause(this.#chance.below(PAUSE_MS + 1));
      }
    } catch (error) {
      this.#fault ??= error as Error;
    }
  }

  /** Answers when it is acknowledged. */
  async #say({ name: sender, program }: Device, body: string): Promise<Sent> {
    const readers = this.#devices.map(({ name }) => name);
    const eventId = await program.ask("send", {
      room_id: this.#roomId,
      type: "m.room.message",
      content: { msgtype: "m.text", body },
    });
    const sent = { eventId, sender, body, readers };
    this.#sent.push(sent);
    return sent;
  }

  /** Waits until these devices know each other, and the room. */
  async #meet(devices: readonly Device[]): Promise<void> {
    const known: Record<string, string[]> = {};
    for (const { userId, deviceId } of devices)
      (known[userId] ??= []).push(deviceId);
    const room = { room_id: this.#roomId, user_ids: Object.keys(known) };
    await Promise.all(
      devices.map(async ({ program }) => {
        await program.ask("meet", room);
        await program.ask("know", { devices: known });
      }),
    );
  }

  async #enter(
    program: DeviceProgram,
    name: string,
    enter: (program: DeviceProgram, account: Account) => Promise<Login>,
  ): Promise<Device> {
    this.#programs.push(program);
    const { url } = this.#server;
    const login = await enter(program, { url, name, password: PASSWORD });
    const { user_id: userId, device_id: deviceId } = login;
    return { name: `${name} ${deviceId}`, program, userId, deviceId };
  }
}
