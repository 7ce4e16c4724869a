interface Check {
  available: boolean;
  error: string | null;
  /** Milliseconds that the check took; null when there was none. */
  checkTime: number | null;
}

/** The contract's HealthCheckResponse. */
export interface HealthReport {
  status: "ok" | "degraded";
  timestamp: string;
  startup: { totalStartupTime: number; milestones: Milestone[] };
  docker: Check;
  claudeCodeImage: Check;
  healthCheckDuration: number;
}

export interface Milestone {
  name: string;
  timestamp: string;
  elapsedMs: number;
}

const FRESH_MS = 30_000;
const UNUSED: Check = { available: false, error: null, checkTime: null };

/** Answers from what is known, and looks again in the background when that is old. */
export function createHealth(options: {
  startup: { milestones: readonly Milestone[] };
  /** What makes sandboxes. */
  runtime: { name: string; check(): Promise<{ available: boolean }> };
}): () => HealthReport {
  const { startup, runtime } = options;
  let known: Check = { available: true, error: null, checkTime: null };
  let knownAt = performance.now();
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    const startedAt = performance.now();
    const found = await runtime.check().then(
      (check) => check.available,
      () => false,
    );
    knownAt = performance.now();
    known = {
      available: found,
      // Why exactly is in the log and nobody else's business.
      error: found ? null : `the runtime ${runtime.name} cannot be used`,
      checkTime: Math.round(knownAt - startedAt),
    };
    looking = false;
  }

  return () => {
    const startedAt = performance.now();
    if (!looking && startedAt - knownAt > FRESH_MS) void look();
    const isDocker = runtime.name === "docker";
    return {
      status: known.available ? "ok" : "degraded",
      timestamp: new Date().toISOString(),
      startup: {
        totalStartupTime: startup.milestones.at(-1)?.elapsedMs ?? 0,
        milestones: [...startup.milestones],
      },
      docker: isDocker ? known : UNUSED,
      claudeCodeImage: UNUSED,
      healthCheckDuration: Math.round(performance.now() - startedAt),
    };
  };
}
