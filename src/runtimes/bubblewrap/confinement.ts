import type { SandboxLimits } from "../runtime.ts";
import type { SandboxDir } from "../sandbox-dir.ts";
import type { Identity, IdRange } from "./identity.ts";
import { identityIn } from "./identity.ts";
import { parentArguments } from "./system.ts";

/** Places inside every sandbox. */
export const INSIDE = {
  workspace: "/workspace",
  home: "/home/agent",
  spool: "/var/spool/runner",
  gateway: "/run/claude-hub",
} as const;

/** As much as Docker gives. */
const SHM_BYTES = 67_108_864;

/**
 * How the sandbox loses the hub's rights. A hub that is root gives every sandbox a user of its own. Another hub can
 * only keep its own user, in a user namespace; `sealed` says that no further ones can be made inside. The machine's
 * own root must not be kept so: much of /proc (sysctls, PCI) asks for that user alone, and for no capability.
 */
export type Confinement =
  | { kind: "own-user"; range: IdRange }
  | { kind: "user-namespace"; sealed: boolean };

export function identityOf(confinement: Confinement, name: string): Identity {
  if (confinement.kind === "own-user") return identityIn(confinement.range, name);
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  // Root inside a namespace is not root outside, but programs would take it for that.
  return { uid: uid === 0 ? 1000 : uid, gid: gid === 0 ? 1000 : gid };
}

/** Namespaces and rights; everything but the file system. */
export function namespaceArguments(confinement: Confinement, name: string): string[] {
  const { uid, gid } = identityOf(confinement, name);
  const rights =
    confinement.kind === "own-user"
      ? // What it takes to become the sandbox's user, and to enter its workspace before; gone when the runner starts.
        ["SETUID", "SETGID", "SETPCAP", "DAC_READ_SEARCH"].map((right) => [
          "--cap-add",
          `CAP_${right}`,
        ])
      : [
          ["--unshare-user", "--uid", String(uid), "--gid", String(gid)],
          confinement.sealed ? ["--disable-userns"] : [],
        ];
  return [
    ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
    ["--new-session", "--die-with-parent", "--hostname", name],
    ["--cap-drop", "ALL"],
    ...rights,
  ].flat();
}

/** Wraps a command so that it runs as the sandbox's user, with no right left and no way to gain one. */
export function dropRights(confinement: Confinement, name: string): string[] {
  if (confinement.kind !== "own-user") return [];
  const { uid, gid } = identityOf(confinement, name);
  return [
    ["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups"],
    ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"],
  ].flat();
}

/** Fresh mounts; programs may be bound over them. /tmp lives in memory, so it gets no more than half of that. */
export function scratchArguments(limits: SandboxLimits): string[] {
  const tmpBytes = Math.floor(limits.memoryBytes / 2);
  return [
    parentArguments("/var/tmp"),
    ["--proc", "/proc", "--dev", "/dev"],
    ["--perms", "1777", "--size", String(SHM_BYTES), "--tmpfs", "/dev/shm"],
    ["--remount-ro", "/dev"],
    ["--perms", "1777", "--size", String(tmpBytes), "--tmpfs", "/tmp"],
    ["--symlink", "../tmp", "/var/tmp"],
  ].flat();
}

/** What is the sandbox's own, and where it meets the hub. The root itself is closed at the end. */
export function ownArguments(dir: SandboxDir, gatewayDir: string): string[] {
  return [
    ...Object.values(INSIDE).map(parentArguments),
    ["--ro-bind", gatewayDir, INSIDE.gateway],
    ["--bind", dir.workspace, INSIDE.workspace],
    ["--bind", dir.home, INSIDE.home],
    ["--bind", dir.spool, INSIDE.spool],
    ["--remount-ro", "/", "--chdir", INSIDE.workspace],
  ].flat();
}
