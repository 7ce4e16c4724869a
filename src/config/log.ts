import pino from "pino";
import type { Logger } from "pino";
import type { Config } from "./config.ts";

/** The service's log: JSON lines on standard output. */
export function createLog(level: Config["logLevel"]): Logger {
  return pino({ level, serializers: { err: errorFields } });
}

/** Errors of libraries drag connections and whole configurations with them; these fields are what helps. */
function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    type: error.name,
    message: error.message,
    ...("code" in error ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
}
