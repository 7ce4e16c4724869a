import { HubError, unavailable } from "../core/errors.ts";

// PostgreSQL's classes 08 (connection), 53 (resources), 57P0x (shutdown, starting up).
const LOST_CONNECTION = /^(08|53)|^57P0/;
const LOST_SOCKET = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
]);
const DRIVER_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;

/** True when the database could not be reached, as opposed to having refused a statement. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof HubError) return error.code === "unavailable";
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (LOST_CONNECTION.test(code) || LOST_SOCKET.has(code) || DRIVER_MESSAGES.test(error.message))
    return true;
  if (error instanceof AggregateError && error.errors.some(isUnavailable)) return true;
  return error.cause !== undefined && isUnavailable(error.cause);
}

export function asHubError(error: unknown): unknown {
  return !(error instanceof HubError) && isUnavailable(error)
    ? unavailable("database", error)
    : error;
}

/** Whether an error of the operating system has one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
