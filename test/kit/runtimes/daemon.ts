import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How an engine is started so that all it keeps is in one directory. */
export interface Daemon {
  argv: string[];
  env: Record<string, string>;
  /** Below it are the volumes. */
  dataDir: string;
  /** Numbers of processes that the engine wrote down; one that was killed leaves them, and the next would believe them. */
  pidFiles: string[];
  prepare(): Promise<void>;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const DAEMONS = { docker, podman };

/** Null: the program is not installed. */
function docker(dir: string, socketPath: string): Daemon | null {
  const program = find("dockerd");
  if (program === null) return null;
  const [dataDir, execDir] = [join(dir, "data"), join(dir, "exec")];
  const pidFile = join(dir, "dockerd.pid");
  return {
    argv: [
      [program, "--data-root", dataDir, "--exec-root", execDir, "--pidfile", pidFile],
      ["-H", `unix://${socketPath}`, "--bridge=none", "--iptables=false"],
    ].flat(),
    env: { PATH },
    dataDir,
    // It has a containerd of its own, which outlives it when it is killed.
    pidFiles: [pidFile, join(execDir, "containerd", "containerd.pid")],
    prepare: () => Promise.resolve(),
  };
}

function podman(dir: string, socketPath: string): Daemon | null {
  const program = find("podman");
  if (program === null) return null;
  const dataDir = join(dir, "data");
  const [settings, storage] = [join(dir, "containers.conf"), join(dir, "storage.conf")];
  return {
    argv: [program, "system", "service", "--time=0", `unix://${socketPath}`],
    env: { PATH, CONTAINERS_CONF: settings, CONTAINERS_STORAGE_CONF: storage },
    dataDir,
    pidFiles: [],
    async prepare() {
      await mkdir(dir, { recursive: true });
      await writeFile(settings, podmanSettings(join(dir, "tmp")));
      await writeFile(
        storage,
        `[storage]\ndriver = "overlay"\ngraphroot = "${dataDir}"\nrunroot = "${join(dir, "run")}"\n`,
      );
    },
  };
}

/** Lower limits than a container of ours may raise, and the runtime that takes every layout of control groups. */
function podmanSettings(tmpDir: string): string {
  return `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "${tmpDir}"
`;
}

function find(program: string): string | null {
  const paths = PATH.split(":").map((dir) => join(dir, program));
  return paths.find((path) => isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
