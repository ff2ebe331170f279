import { endpoint } from "../endpoint.ts";

/** All from v1.1 on, which added only what is served or told elsewhere not to be. */
const VERSIONS = [
  "r0.6.1",
  ...Array.from({ length: 19 }, (_, i) => `v1.${i + 1}`),
];

const FEATURES = {
  // Element sets up cross-signing only where this is said.
  "org.matrix.e2e_cross_signing": true,
  // Private receipts, receipts and unread counts by thread: v1.4.
  "org.matrix.msc2285.stable": true,
  "org.matrix.msc3771": true,
  "org.matrix.msc3773": true,
  // Pushers that other devices switch on and off, and pushes of all encrypted events.
  "org.matrix.msc3881": true,
  "org.matrix.msc4028": true,
  // Threads, v1.3 and v1.4; relations of relations, v1.10.
  "org.matrix.msc3440.stable": true,
  "org.matrix.msc3715.stable": true,
  "org.matrix.msc3856.stable": true,
  "org.matrix.msc3981": true,
  // What is not in the specification yet: filters and redactions by relation, account
  // data that can be deleted, subscriptions to threads.
  "org.matrix.msc3874": true,
  "org.matrix.msc3912": true,
  "org.matrix.msc3391": true,
  "org.matrix.msc4306": true,
  // Events that are sent later.
  "org.matrix.msc4140": true,
  // Mentions by intent: v1.7.
  "org.matrix.msc3952_intentional_mentions": true,
  // Media for whoever is logged in: v1.11.
  "org.matrix.msc3916.stable": true,
  // Any profile field: v1.16.
  "uk.tcpip.msc4133.stable": true,
  // The state after the timeline: v1.16.
  "org.matrix.msc4222": true,
  // Invites refused: all of them, v1.18, or by whom they are.
  "org.matrix.msc4380.stable": true,
  "org.matrix.msc4155": true,
  // Rooms that two people share: v1.19.
  "uk.half-shot.msc2666.query_mutual_rooms": true,
  "uk.half-shot.msc2666.query_mutual_rooms.stable": true,
  // The event nearest to a time: v1.6.
  "org.matrix.msc3030": true,
  // Rooms of a type in the directory: v1.4.
  "org.matrix.msc3827.stable": true,
  // Sliding sync: Element X needs it.
  "org.matrix.simplified_msc3575": true,
};

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
export const getVersions = endpoint({
  method: "get",
  path: "/_matrix/client/versions",
  auth: "none",
  async handle({ settings }) {
    const { loginTokensEnabled, rendezvousEnabled } = settings;
    const features = {
      ...FEATURES,
      // What Element asks for before it links another device.
      ...(loginTokensEnabled && { "org.matrix.msc3882": true }),
      ...(rendezvousEnabled && {
        "org.matrix.msc4108": true,
        "io.element.msc4388": true,
      }),
    };
    return { versions: VERSIONS, unstable_features: features };
  },
});
