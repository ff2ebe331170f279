import { isPermission } from "../domain/admin/permissions.ts";
import type { CompiledEndpoint } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { compileQuery } from "./query.ts";
import type { Router } from "./router.ts";
import { createRouter } from "./router.ts";
import { compileSchema } from "./schema.ts";

const SEGMENT = /^(:[A-Za-z]+|[A-Za-z0-9._-]*)$/;

/** Builds the router; throws a `TypeError` for an endpoint that is not whole. */
export function compileEndpoints(
  endpoints: readonly Endpoint[],
): Router<CompiledEndpoint> {
  const router = createRouter<CompiledEndpoint>();
  for (const endpoint of endpoints) {
    const compiled = compileEndpoint(endpoint);
    for (const path of pathsOf(endpoint)) {
      router.add(endpoint.method.toUpperCase(), path, compiled);
    }
  }
  return router;
}

/** All paths of an endpoint: those it names, and `r0` for each `v3`. */
export function pathsOf(endpoint: Endpoint): string[] {
  const paths = [endpoint.path, ...(endpoint.also ?? [])];
  return paths.flatMap((path) => {
    const old = path.replace(
      /^\/_matrix\/(client|media)\/v3\//,
      "/_matrix/$1/r0/",
    );
    return old === path || paths.includes(old) ? [path] : [path, old];
  });
}

function compileEndpoint(endpoint: Endpoint): CompiledEndpoint {
  const fault = faultOf(endpoint);
  if (fault !== undefined) {
    throw new TypeError(`${endpoint.method} ${endpoint.path} ${fault}.`);
  }
  return {
    endpoint,
    names: namesOf(endpoint.path),
    ...(endpoint.query && { parseQuery: compileQuery(endpoint.query) }),
    ...(endpoint.body && { findBodyFault: compileSchema(endpoint.body) }),
  };
}

function faultOf(endpoint: Endpoint): string | undefined {
  const { auth, permission, path, also = [], params = {} } = endpoint;
  if (auth === "admin" && !permission) return "names no permission";
  if (permission && !isPermission(permission)) {
    return `names a permission that there is not: ${String(permission)}`;
  }
  const isPowerless =
    auth !== "admin" &&
    endpoint.adminToken !== true &&
    endpoint.isPublic !== true;
  if (isPowerless && path.startsWith("/_myelin/admin/")) {
    return "is an administrator's, and asks for no permission";
  }
  if (auth !== "admin" && permission) {
    return "names a permission that nobody asks for";
  }
  const names = namesOf(path);
  if (new Set(names).size !== names.length) return "repeats a parameter";
  const stray = [...Object.keys(params), ...also.flatMap(namesOf)].find(
    (name) => !names.includes(name),
  );
  if (stray !== undefined) return `has no parameter :${stray}`;
  for (const each of [path, ...also]) {
    const [first, ...segments] = each.split("/");
    const isWhole = first === "" && segments.every((s) => SEGMENT.test(s));
    if (!isWhole) return `has a path that is no pattern: ${each}`;
  }
  return undefined;
}

function namesOf(path: string): string[] {
  return [...path.matchAll(/\/:([A-Za-z]+)/g)].map(([, name = ""]) => name);
}
