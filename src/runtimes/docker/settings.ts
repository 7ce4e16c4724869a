/** What the operator decides about containers. */
export interface ContainerSettings {
  /** Where the engine listens, as `DOCKER_HOST` has it. */
  engine: string;
  image: string;
  /** The image brings the agent's program; else it comes from this machine. */
  agentInImage: boolean;
  /** `doctor`: none of these sandboxes is a session's, and no hub takes them for its own. */
  purpose: "sessions" | "doctor";
  /** Names this hub among those that share an engine; kept in its data directory. */
  hubId: string;
  /** Weight against other containers; 1,024 is what each has by default. */
  cpuShares: number;
  /** What a sandbox may keep on disk. */
  diskBytes: number;
  /** OCI runtime (gVisor's `runsc`, Kata's `kata`); null: the engine's default. */
  ociRuntime: string | null;
}
