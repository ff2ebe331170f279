import type { EventType, MatrixEvent, TimelineEvents } from "matrix-js-sdk";
import type { SdkDevice } from "./sdk-device.ts";

type RoomMessageEventContent = TimelineEvents[EventType.RoomMessage];

/** Content of `m.room.encryption`. */
export const MEGOLM = { algorithm: "m.megolm.v1.aes-sha2" };

/** What is said and heard in one encrypted room. */
export class Talk {
  readonly roomId: string;

  private constructor(roomId: string) {
    this.roomId = roomId;
  }

  /** Makes the room, and waits until both are in it and know of each other. */
  static async begin(
    host: SdkDevice,
    guest: SdkDevice,
    name?: string,
  ): Promise<Talk> {
    const { room_id: roomId } = await host.client.createRoom({
      ...(name !== undefined && { name }),
      invite: [guest.userId],
      initial_state: [
        { type: "m.room.encryption", state_key: "", content: MEGOLM },
      ],
    });
    await guest.waitForRoom(roomId, "invite");
    await guest.client.joinRoom(roomId);
    for (const device of [host, guest])
      await device.waitForRoom(roomId, "join");
    await host.meets(roomId, guest.userId);
    return new Talk(roomId);
  }

  /** Answers the event's id. */
  async send(
    device: SdkDevice,
    type: string,
    content: object,
  ): Promise<string> {
    const { event_id: eventId } = await device.client.sendEvent(
      this.roomId,
      type as EventType.RoomMessage,
      content as RoomMessageEventContent,
    );
    return eventId;
  }

  say(device: SdkDevice, body: string, relation?: object): Promise<string> {
    return this.send(device, "m.room.message", {
      msgtype: "m.text",
      body,
      ...(relation && { "m.relates_to": relation }),
    });
  }

  /** Waits until a device has opened an event. */
  hears(device: SdkDevice, eventId: string): Promise<MatrixEvent> {
    return device.waitForEvent(
      this.roomId,
      eventId,
      (event) => event.getId() === eventId && isOpen(event),
    );
  }

  /** Says it, and waits until each of these has opened it. */
  async carry(
    from: SdkDevice,
    body: string,
    to: readonly SdkDevice[],
  ): Promise<string> {
    const eventId = await this.say(from, body);
    await Promise.all(to.map((device) => this.hears(device, eventId)));
    return eventId;
  }

  /** Ids of those events in a device's timeline that it cannot open. */
  closedTo(device: SdkDevice): (string | undefined)[] {
    return device
      .events(this.roomId)
      .filter((event) => event.isDecryptionFailure())
      .map((event) => event.getId());
  }
}

/** Neither waiting for its key nor on its way through the decryption. */
export const isOpen = (event: MatrixEvent): boolean =>
  event.getType() !== "m.room.encrypted" && !event.isDecryptionFailure();
