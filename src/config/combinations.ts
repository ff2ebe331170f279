import { parsePolicyDocument } from "../core/policy-document.ts";
import type { Fault } from "./fault.ts";

/**
 * Finds what each setting allows but their combination does not. The tree may
 * have other faults, so nothing in it is taken for granted.
 */
export function checkCombinations(tree: Record<string, unknown>): Fault[] {
  const faults: Fault[] = [];
  const isBehindProxy = tree["behind_proxy"] === true;
  if ("trusted_proxies" in tree && !isBehindProxy) {
    faults.push({
      path: "trusted_proxies",
      problem: "is used with behind_proxy only: expected behind_proxy: true.",
    });
  }
  const { media } = tree;
  const hasBucket = inside(inside(media, "s3"), "bucket") !== undefined;
  if (inside(media, "store") === "s3" && !hasBucket) {
    faults.push({
      path: "media.s3.bucket",
      problem: "is needed with media.store: s3.",
    });
  }
  const host = inside(tree["listen"], "host");
  const hasTls = inside(tree["tls"], "certificate") !== undefined;
  if (
    typeof host === "string" &&
    !isLoopback(host) &&
    !hasTls &&
    !isBehindProxy
  ) {
    faults.push({
      path: "listen.host",
      problem: `others can reach ${host}, and passwords must not cross a network in plain text: expected tls.certificate and tls.private_key, or behind_proxy: true with a proxy that speaks TLS, or a loopback address.`,
    });
  }
  const adminHost = inside(inside(tree["listeners"], "admin"), "host");
  if (
    typeof adminHost === "string" &&
    !isLoopback(adminHost) &&
    !hasTls &&
    !isBehindProxy
  ) {
    faults.push({
      path: "listeners.admin.host",
      problem: `others can reach ${adminHost}, and what administrators do must not cross a network in plain text: expected tls.certificate and tls.private_key, or behind_proxy: true with a proxy that speaks TLS, or a loopback address.`,
    });
  }
  const uris = inside(tree["turn"], "uris");
  const hasSecret = inside(tree["turn"], "shared_secret") !== undefined;
  if (Array.isArray(uris) && uris.length > 0 && !hasSecret) {
    faults.push({
      path: "turn.shared_secret",
      problem: "is expected too, because turn.uris is set.",
    });
  }
  const policies = inside(tree["privacy"], "policies");
  const versions = new Map<string, string>();
  for (const text of Array.isArray(policies) ? policies : []) {
    const document = parsePolicyDocument(String(text));
    if (!document) continue;
    const { id, version } = document;
    const other = versions.get(id) ?? version;
    versions.set(id, version);
    if (other === version) continue;
    faults.push({
      path: "privacy.policies",
      problem: `names ${id} in the versions ${other} and ${version}: expected one version of it in every language.`,
    });
  }
  const needsConsent = inside(tree["privacy"], "require_consent") === true;
  if (needsConsent && versions.size === 0) {
    faults.push({
      path: "privacy.require_consent",
      problem: "asks for consent to nothing: expected privacy.policies.",
    });
  }
  const wellKnown = inside(tree["well_known"], "extra");
  if (typeof wellKnown === "string" && wellKnown.includes('"m.homeserver"')) {
    faults.push({
      path: "well_known.extra",
      problem:
        "says what public_base_url says: expected no m.homeserver in it.",
    });
  }
  return faults;
}

const inside = (section: unknown, name: string): unknown =>
  typeof section === "object" && section !== null && name in section
    ? (section as Record<string, unknown>)[name]
    : undefined;

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
