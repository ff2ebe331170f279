import type { Section } from "./schema-types.ts";

/** A token bucket: it holds `burst` and fills again at `perSecond`. */
function bucket<const Rate extends number, const Burst extends number>(
  description: string,
  perSecond: Rate,
  burst: Burst,
) {
  return {
    type: "object",
    description,
    properties: {
      per_second: {
        type: "number",
        minimum: 0.000_001,
        maximum: 1_000_000,
        default: perSecond,
        description: "How many are given back each second.",
      },
      burst: {
        type: "integer",
        minimum: 1,
        maximum: 1_000_000,
        default: burst,
        description: "How many may come at once.",
      },
    },
  } as const;
}

export const rateLimitsSchema = {
  type: "object",
  description:
    "How often each may ask, counted over all processes unless told.",
  properties: {
    enabled: {
      type: "boolean",
      default: true,
      description: "Whether anything is limited at all.",
    },
    login: bucket("Logins, by address and by account.", 0.17, 10),
    register: bucket("New accounts, by address.", 0.000_84, 3),
    message: bucket("Events sent, by user.", 10, 50),
    create_room: bucket("Rooms made, by user.", 0.1, 10),
    join: bucket("Joins and knocks, by user.", 0.5, 20),
    invite: bucket("Invites, by user.", 0.5, 20),
    room_message: bucket(
      "Messages in one room, by whomever, counted by each process.",
      100,
      1_000,
    ),
    room_join: bucket("Joins of one room, counted by each process.", 20, 1_000),
    room_invite: bucket(
      "Invites into one room, counted by each process.",
      20,
      1_000,
    ),
    room_knock: bucket("Knocks on one room, counted by each process.", 1, 100),
    profile: bucket("Changes of profile, by user.", 0.5, 20),
    keys: bucket("Device keys uploaded, asked or claimed, by user.", 20, 200),
    to_device: bucket("Messages from device to device, by user.", 100, 500),
    ephemeral: bucket("Typing, receipts and presence, by user.", 10, 100),
    upload: bucket("Uploads, and ids for them, by user.", 5, 100),
    media: bucket("Downloads and thumbnails, by user or address.", 100, 1_000),
    media_traffic: bucket(
      "Kibibytes of downloads, by user or address, charged when each has ended.",
      100,
      512_000,
    ),
    first_sync: bucket(
      "Syncs of everything: first ones, and those that ask for full state, by user.",
      0.2,
      10,
    ),
    history: bucket(
      "Pages of history, events, and whole states and member lists, by user.",
      30,
      300,
    ),
    rendezvous: bucket(
      "Meetings of devices to sign in by QR code, by address.",
      0.2,
      20,
    ),
    search: bucket("Searches, by user.", 1, 20),
    url_preview: bucket("Previews of links, by user.", 2, 60),
    report: bucket("Reports, by user.", 0.05, 5),
    export: bucket("Exports of all data of a person, by who asks.", 0.000_3, 5),
    admin: bucket("Acts of administrators, by user.", 50, 500),
    other: bucket("Everything else, by user or address.", 50, 500),
  },
} as const satisfies Section;
