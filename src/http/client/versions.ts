import { endpoint } from "../endpoint.ts";

/** Each version only adds to the one before: we serve what a client finds here by asking. */
const VERSIONS = Array.from({ length: 19 }, (_, i) => `v1.${i + 1}`);

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
export const getVersions = endpoint({
  method: "get",
  path: "/_matrix/client/versions",
  auth: "optional",
  async handle() {
    return {
      versions: ["r0.6.1", ...VERSIONS],
      unstable_features: {
        // Element sets up cross-signing only where this is said.
        "org.matrix.e2e_cross_signing": true,
        "org.matrix.msc4222": true,
        "uk.tcpip.msc4133.stable": true,
      },
    };
  },
});
