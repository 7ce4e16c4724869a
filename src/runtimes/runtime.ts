import type { ContainerSettings } from "./docker/settings.ts";

export interface SandboxLimits {
  memoryBytes: number;
  processes: number;
  /** Weight against other sandboxes for the processors; what the operator has set for all, when left out. */
  cpuShares?: number;
}

/** What one sandbox is made of. The runtime makes its directories and starts the runner in it. */
export interface SandboxSpec {
  name: string;
  sessionId: string;
  /** Token of the session; reaches the runner on standard input, never by environment, argv or file. */
  token: string;
  limits: SandboxLimits;
  /** For runtimes that have images; the usual one, when left out. */
  image?: string;
  /** Told what takes time before the sandbox is there. */
  report?: SandboxReport;
}

export type SandboxReport = (
  kind: "image.pulling" | "image.pulled",
  body: Record<string, string | number>,
) => void;

export interface Sandbox {
  name: string;
  state: "running" | "exited";
}

/** What a runtime can enforce here. */
export interface RuntimeAbilities {
  isolation: "none" | "namespaces" | "container";
  memoryLimit: boolean;
  processLimit: boolean;
}

export type RuntimeCheck =
  | { available: true; abilities: RuntimeAbilities }
  | { available: false; reason: string };

/**
 * What makes sandboxes. A sandbox is found by its name alone, so that it outlives the hub: `ensure` creates or adopts,
 * and however often it is called, also by two hubs at once or after a crash in its middle, one runner runs.
 */
export interface Runtime {
  name: "process" | "bubblewrap" | "docker";
  check(): Promise<RuntimeCheck>;
  /** `exited`: a sandbox of that name has run and ended; it is not started again. */
  ensure(spec: SandboxSpec): Promise<"created" | "adopted" | "exited">;
  /** `absent`: no trace of that name. */
  inspect(name: string): Promise<"absent" | "running" | "exited">;
  list(): Promise<Sandbox[]>;
  /** Ends every process of the sandbox; resolves when none is left. Nothing to stop is fine. */
  stop(name: string): Promise<void>;
  /** Stops, and deletes what the sandbox kept on disk. */
  remove(name: string): Promise<void>;
  /** The last lines that the runner itself printed, for a post-mortem. */
  lastWords(name: string): Promise<string>;
}

/** What all runtimes are built from. */
export interface RuntimeHost {
  /** Directory of the hub that holds one directory a sandbox. */
  sandboxesDir: string;
  /** Directory that holds the gateway's socket, and nothing else: it is what a sandbox sees of the hub. */
  gatewayDir: string;
  gatewaySocketName: string;
  /** The bundled runner. */
  runnerPath: string;
  /** Node.js that runs the runner. */
  nodePath: string;
  /** Files and directories that the agent's executable needs, read-only. */
  agentPaths: string[];
  containers: ContainerSettings;
}
