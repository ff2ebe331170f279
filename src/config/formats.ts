import { DETECTORS } from "../core/detectors.ts";
import { isJsonObject } from "../core/json.ts";
import { readJson } from "../core/json-reader.ts";
import { parsePolicyDocument } from "../core/policy-document.ts";
import { parseServerName } from "../core/server-name.ts";
import { parseNetwork } from "../util/ip-address.ts";

interface Format {
  accepts(text: string): boolean;
  /** Completes "expected …". */
  expected: string;
}

function findUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

const isNetwork = (text: string): boolean => {
  const [address = "", bits, ...rest] = text.split("/");
  const width = address.includes(":")
    ? URL.canParse(`http://[${address}]`) && 128
    : /^(\d{1,3}\.){3}\d{1,3}$/.test(address) &&
      address.split(".").every((part) => Number(part) <= 255) &&
      32;
  if (width === false || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width)
  );
};

function isPostgresUrl(text: string): boolean {
  const url = findUrl(text);
  if (!/^postgres(ql)?:$/.test(url?.protocol ?? "")) return false;
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const LOWER_NAME = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[.*\])(?::\d+)?$/;

function isServerName(text: string): boolean {
  const { port = 1 } = parseServerName(text) ?? { port: 0 };
  const isLower = text === text.toLowerCase() && LOWER_NAME.test(text);
  return isLower && text.length <= 230 && port > 0 && port <= 65_535;
}

/** A host name, or `*.` and the name that all of them end with. */
const isHost = (text: string): boolean =>
  /^(?:\*\.)?[^\s/*:@?#[\]]+$/.test(text) &&
  URL.canParse(`http://${text.replace(/^\*\./, "")}/`);

const isJsonText = (text: string): boolean => {
  try {
    return isJsonObject(readJson(text));
  } catch {
    return false;
  }
};

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** The forms that texts in the configuration may have to have. */
export const formats: Readonly<Record<string, Format>> = {
  "server-name": {
    accepts: isServerName,
    expected:
      "a host name in lower case, with a port if need be, such as example.org",
  },
  "base-url": {
    accepts(text) {
      const url = findUrl(text);
      return (
        url !== undefined &&
        /^https?:$/.test(url.protocol) &&
        url.search + url.hash + url.username + url.password === ""
      );
    },
    expected:
      "an http or https address without query, such as https://matrix.example.org",
  },
  "web-url": {
    accepts: (text) => /^https?:$/.test(findUrl(text)?.protocol ?? ""),
    expected: "an http or https address",
  },
  "scan-url": {
    accepts: (text) =>
      /^(?:https?|icap):$/.test(findUrl(text)?.protocol ?? "") &&
      /^[a-z]+:\/\/[^/?#]/i.test(text),
    expected:
      "an address of http, https or icap, such as icap://scanner.example.org:1344/avscan",
  },
  "syslog-url": {
    accepts: (text) =>
      /^tls:\/\/(?:\[[0-9a-f:.]+\]|[^\s/:@?#[\]]+)(?::\d{1,5})?$/i.test(text),
    expected: "an address such as tls://logs.example.org:6514",
  },
  "postgres-url": {
    accepts: isPostgresUrl,
    expected:
      "an address such as postgres://user:password@host/database, with special characters percent-encoded",
  },
  network: {
    accepts: isNetwork,
    expected: "an address or network, such as 10.0.0.0/8",
  },
  "network-or-host": {
    accepts: (text) => parseNetwork(text) !== undefined || isHost(text),
    expected:
      "an address, a network such as 10.0.0.0/8, or a host name such as push.example.org or *.example.org",
  },
  "url-pattern": {
    accepts: (text) =>
      /^(?:[a-z*]+:\/\/)?(?:\[[0-9a-f:.]+\]|[^\s:/@?#]+)(?::[0-9*]+)?(?:\/\S*)?$/i.test(
        text,
      ),
    expected:
      "a host with * for any text, such as *.example.org, https://*:8443 or example.org/help/*",
  },
  "turn-uri": {
    accepts: (text) =>
      /^turns?:[^\s/?#]+(?:\?transport=(?:udp|tcp))?$/.test(text),
    expected: "an address such as turn:turn.example.org?transport=udp",
  },
  "time-zone": {
    accepts: isTimeZone,
    expected: "a time zone such as Europe/Berlin or UTC",
  },
  detector: {
    accepts: (text) => DETECTORS.some((known) => known === text),
    expected: `one of ${DETECTORS.join(", ")}`,
  },
  localpart: {
    accepts: (text) => /^[a-z0-9._=/+-]{1,200}$/.test(text),
    expected: "lower-case letters, digits, and . _ = - / +",
  },
  mxc: {
    accepts: (text) => /^mxc:\/\/[^/\s]+\/[^/\s]+$/.test(text),
    expected: "an address such as mxc://example.org/abc",
  },
  "policy-document": {
    accepts: (text) => parsePolicyDocument(text) !== undefined,
    expected:
      "an id, a version, a language, an address and a name, such as privacy_policy 1.0 en https://example.org/privacy Privacy policy",
  },
  "json-object": {
    accepts: isJsonText,
    expected: "a JSON object in quotes, such as '{\"io.element.e2ee\":{}}'",
  },
  "network-or-any-host": {
    accepts: (text) =>
      text === "*" || parseNetwork(text) !== undefined || isHost(text),
    expected:
      "an address, a network such as 10.0.0.0/8, a host name such as *.example.org, or * for all",
  },
};
