import type Docker from "dockerode";
import type { RuntimeHost, SandboxLimits } from "../runtime.ts";
import { searchPath } from "../search-path.ts";

/** Places inside every container. The three directories that can be written to are in one volume. */
const OWN = "/sandbox";
export const INSIDE = {
  own: OWN,
  workspace: `${OWN}/workspace`,
  home: `${OWN}/home`,
  spool: `${OWN}/spool`,
  gateway: "/run/claude-hub",
  runner: "/opt/claude-hub/runner.mjs",
} as const;

/** Of an image that names no user, or root. */
const NOBODY_ELSE = "1000:1000";
/** Two files at the most; the runner prints next to nothing, what is longer was not meant. */
const LOG = { Type: "json-file", Config: { "max-size": "512k", "max-file": "2" } };

/** What runs inside, and as whom. */
export interface Contents {
  command: string[];
  user: string;
  labels: Record<string, string>;
  /** Name of the volume. */
  volume: string;
  imageName: string;
  /** The variables that all processes of a sandbox carry. */
  marks: Record<string, string>;
}

/**
 * All that a container gets. No network at all; no capability, and no way to gain one; a system that cannot be written
 * to; and of the machine the gateway's directory, the runner and the agent's program, read-only.
 */
export function containerOptions(
  host: RuntimeHost,
  limits: SandboxLimits,
  contents: Contents,
): Docker.ContainerCreateOptions {
  const { cpuShares, ociRuntime } = host.containers;
  const [program = "", ...args] = contents.command;
  return {
    Image: contents.imageName,
    User: contents.user,
    Entrypoint: [program],
    Cmd: args,
    WorkingDir: OWN,
    Env: Object.entries({
      PATH: searchPath("/usr/local/bin"),
      HOME: INSIDE.home,
      LANG: "C.UTF-8",
      ...contents.marks,
    }).map(([name, value]) => `${name}=${value}`),
    Labels: contents.labels,
    // Closed with the one connection that feeds it: nobody inside waits for a second line.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      IpcMode: "private",
      CapDrop: ["ALL"],
      Privileged: false,
      // The engine's default seccomp profile is in force because none is named here.
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      Init: true,
      RestartPolicy: { Name: "no" },
      LogConfig: LOG,
      Memory: limits.memoryBytes,
      // Memory and swap together: swapping would make the limit a slow one.
      MemorySwap: limits.memoryBytes,
      CpuShares: limits.cpuShares ?? cpuShares,
      PidsLimit: limits.processes,
      ...(ociRuntime === null ? {} : { Runtime: ociRuntime }),
      Tmpfs: scratch(limits),
      Mounts: mounts(host, contents.volume),
    },
  };
}

/** The image's own user, unless that is root or nobody in particular. */
export function userFor(imageUser: string): string {
  return /^(root|0+)?(:|$)/.test(imageUser) ? NOBODY_ELSE : imageUser;
}

/** Lives in memory and counts as such, so it gets no more than half of that. */
function scratch(limits: SandboxLimits): Record<string, string> {
  const options = `rw,exec,nosuid,nodev,mode=1777,size=${Math.floor(limits.memoryBytes / 2)}`;
  return { "/tmp": options, "/var/tmp": options };
}

function mounts(host: RuntimeHost, volume: string): Docker.MountSettings[] {
  return [
    readOnly(host.gatewayDir, INSIDE.gateway),
    readOnly(host.runnerPath, INSIDE.runner),
    // Where they are outside, so that a path means the same on both sides.
    ...(host.containers.agentInImage ? [] : host.agentPaths).map((path) => readOnly(path, path)),
    ownVolume(volume),
  ];
}

function readOnly(source: string, target: string): Docker.MountSettings {
  return { Type: "bind", Source: source, Target: target, ReadOnly: true };
}

/** The image has no say in what is in it. */
function ownVolume(volume: string): Docker.MountSettings {
  const VolumeOptions = { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} } };
  return { Type: "volume", Source: volume, Target: OWN, VolumeOptions };
}
