import { z } from "zod";

const Place = z.object({ host: z.string().max(255), port: z.int().min(1).max(65_535) });
export type Place = z.infer<typeof Place>;

/** What a runner is told, in place of a job, whose sandbox was only made to be looked at from inside. */
export const ProbeOrder = z.object({
  probe: z.object({
    /** Places that it should not be able to connect to. */
    reach: z.array(Place).max(8),
    /** An abstract unix socket of the machine (unix(7)), which belongs to its network. */
    abstractSocket: z.string().max(100),
    agentExecutable: z.string(),
  }),
});
export type ProbeOrder = z.infer<typeof ProbeOrder>;

const text = z.string().max(1_048_576);

export const NAMESPACES = ["ipc", "mnt", "net", "pid"] as const;

/** What it found. The texts are the kernel's own. */
export const ProbeReport = z.object({
  node: z.string(),
  uid: z.int(),
  /** /proc/self/status, /proc/self/mountinfo */
  status: text,
  mounts: text,
  /** Environments and arguments of all processes that it can see, and the files of its own that it was given. */
  secretsWouldBeIn: text,
  /** Names of its namespaces, by kind: two processes with the same one share it. */
  namespaces: z.record(z.enum(NAMESPACES), z.string()),
  /** Directories of the system that could be written to. */
  writable: z.array(z.string()),
  /** Sockets of container engines. */
  engineSockets: z.array(z.string()),
  interfaces: z.array(z.string()),
  /** What came of each place, and of the abstract socket: `connected`, or the error's code. */
  reached: z.array(z.object({ place: z.string(), outcome: z.string() })),
  /** First line of `--version`; null: it cannot be run. */
  git: z.string().nullable(),
  agent: z.string().nullable(),
});
export type ProbeReport = z.infer<typeof ProbeReport>;
