import { CommanderError } from "commander";
import { terminalText } from "../core/terminal-text.ts";
import { CommandError, EXIT } from "./exit.ts";
import type { Exit } from "./exit.ts";

/** Says what went wrong, in one sentence, and gives the exit code. */
export function report(error: unknown): number {
  if (error instanceof CommanderError)
    // It has been printed already; help and version are no errors.
    return error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`claude-hub: ${terminalText(message)}\n`);
  return EXIT[exitOf(error)].code;
}

/** Errors of the client are known by their names: their module is loaded by the commands that need it. */
function exitOf(error: unknown): Exit {
  if (error instanceof CommandError) return error.exit;
  if (!(error instanceof Error)) return "failed";
  if (error.name === "HubAway") return "connection";
  if (error.name === "ConfigError") return "usage";
  if (error.name === "HubRefusal" && "status" in error) return exitOfStatus(Number(error.status));
  return "failed";
}

function exitOfStatus(status: number): Exit {
  switch (status) {
    case 400:
    case 413:
      return "usage";
    case 401:
    case 403:
    case 429:
    case 502:
    case 503:
      return "connection";
    case 404:
      return "notFound";
    case 409:
      return "refused";
    default:
      return "failed";
  }
}
