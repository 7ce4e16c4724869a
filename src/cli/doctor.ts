import pino from "pino";
import { loadConfig } from "../config/config.ts";
import { createRedaction } from "../core/redaction.ts";
import type { Redaction } from "../core/redaction.ts";
import type { Place } from "../core/probe.ts";
import { examine } from "../doctor/doctor.ts";
import type { Finding } from "../doctor/finding.ts";
import { parseTarget } from "../core/egress.ts";
import { findAgent } from "./agent-path.ts";
import { lineOf } from "./finding-line.ts";
import { forgeFindings } from "./github/status.ts";
import { bundledRunner } from "./runner-path.ts";

/** Where the outside is: a public resolver, and where clouds keep a machine's credentials. */
const OUTSIDE: Place[] = [
  { host: "1.1.1.1", port: 443 },
  { host: "169.254.169.254", port: 80 },
];

/** Says what is wrong, and what mends it. Exit code 1: something must be mended; 2: it could not be examined. */
export async function runDoctor(
  flags: Record<string, string | undefined>,
  options: { json: boolean; online: boolean; reach: string[] },
): Promise<void> {
  const ended = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ended.abort());
  const findings: Finding[] = [];
  try {
    const redaction = redactionFor(flags);
    const examination = examine({
      loadConfig: () => loadConfig({ flags }),
      agentPath: findAgent,
      runnerPath: ({ runnerPath }) => runnerPath ?? bundledRunner(),
      reach: options.reach.length === 0 ? OUTSIDE : options.reach.map(placeOf),
      online: options.online,
      forge: forgeFindings,
      signal: ended.signal,
      log: pino({ enabled: false }),
    });
    for await (const finding of examination) {
      const safe = redacted(finding, redaction);
      findings.push(safe);
      if (!options.json) process.stdout.write(lineOf(safe));
    }
  } catch (error) {
    process.stderr.write(`claude-hub: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
    return;
  }
  const isHealthy = findings.every(({ state }) => state !== "failed");
  if (options.json) process.stdout.write(`${JSON.stringify({ isHealthy, findings }, null, 2)}\n`);
  if (!isHealthy) process.exitCode = 1;
}

/** Errors of drivers and engines may quote what they were given. */
function redactionFor(flags: Record<string, string | undefined>): Redaction {
  try {
    const { secrets, database } = loadConfig({ flags });
    const all = [...Object.values(secrets), database.url];
    return createRedaction(all.filter((secret) => secret !== null));
  } catch {
    // That they cannot be read is what the examination tells, in words without their values.
    return createRedaction([]);
  }
}

function redacted(finding: Finding, redaction: Redaction): Finding {
  const { found, mend } = finding;
  return {
    ...finding,
    found: redaction.text(found),
    mend: mend === null ? null : redaction.text(mend),
  };
}

function placeOf(text: string): Place {
  const target = parseTarget(text, null);
  if ("fault" in target) throw new Error(`--reach ${text}: it ${target.fault}`);
  return { host: target.host, port: target.port };
}
