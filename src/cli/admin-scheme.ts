import { isLoopback } from "../config/combinations.ts";
import type { Config } from "../config/schema.ts";

/** What the administrators' listener speaks: nobody listens in on this machine. */
export const adminSchemeOf = ({
  tls,
  listeners: { admin },
}: Pick<Config, "tls" | "listeners">): "http" | "https" =>
  admin.port === undefined ||
  isLoopback(admin.host) ||
  tls.certificate === undefined
    ? "http"
    : "https";
