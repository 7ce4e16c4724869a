import { access, chmod, chown, mkdir } from "node:fs/promises";
import { release } from "node:os";
import type { ControlGroups } from "../control-groups.ts";
import type { RuntimeHost, SandboxLimits } from "../runtime.ts";
import type { SandboxDir } from "../sandbox-dir.ts";
import type { Confinement } from "./confinement.ts";
import {
  dropRights,
  identityOf,
  namespaceArguments,
  ownArguments,
  scratchArguments,
} from "./confinement.ts";
import { findIdRange, mayBeMachineRoot } from "./identity.ts";
import { probe } from "./probe.ts";
import { accountArguments, programArguments, systemArguments } from "./system.ts";

const PRLIMIT = "/usr/bin/prlimit";
const PROBE_LIMITS: SandboxLimits = { memoryBytes: 67_108_864, processes: 64 };

/** How sandboxes are made on this machine, once it is known that they can be. */
export interface Recipe {
  confinement: Confinement;
  system: string[];
  programs: string[];
  /** Whether `prlimit` must and can bound the number of processes. */
  prlimit: boolean;
}

/** bwrap's options, and what stands before the command that it runs. */
export interface BubblewrapCommand {
  options: string[];
  command: string[];
}

/** Tries the ways from the strongest on; rejects with the reason why the first one failed. */
export async function findRecipe(host: RuntimeHost, groups: ControlGroups): Promise<Recipe> {
  await mkdir(host.gatewayDir, { recursive: true });
  const system = await systemArguments();
  const programs = await programArguments(host);
  const prlimit = await needsPrlimit(groups);
  const errors: unknown[] = [];
  for (const confinement of await waysOf()) {
    // The directory holds the socket only; the one above keeps others on the machine out.
    if (confinement.kind === "own-user") await chmod(host.gatewayDir, 0o755);
    const recipe = { confinement, system, programs, prlimit };
    try {
      await probe(host, (name, dir) => compose(recipe, host, { name, dir, limits: PROBE_LIMITS }));
      return recipe;
    } catch (error) {
      errors.push(error);
    }
  }
  throw (
    errors[0] ??
    new Error("the hub is root, and there are no other users that sandboxes could run as")
  );
}

/** The command line of one sandbox; its directories get the owner that it runs as. */
export async function compose(
  { confinement, system, programs, prlimit }: Recipe,
  host: RuntimeHost,
  { name, dir, limits }: { name: string; dir: SandboxDir; limits: SandboxLimits },
): Promise<BubblewrapCommand> {
  const identity = identityOf(confinement, name);
  if (confinement.kind === "own-user")
    for (const path of [dir.workspace, dir.home, dir.spool])
      await chown(path, identity.uid, identity.gid);
  return {
    options: [
      ...namespaceArguments(confinement, name),
      ...system,
      ...scratchArguments(limits),
      ...programs,
      ...(await accountArguments(dir.path, name, identity)),
      ...ownArguments(dir, host.gatewayDir),
    ],
    command: [
      ...dropRights(confinement, name),
      ...(prlimit ? [PRLIMIT, `--nproc=${limits.processes}`, "--"] : []),
    ],
  };
}

async function waysOf(): Promise<Confinement[]> {
  const range = await findIdRange();
  const ownUser: Confinement[] = range === null ? [] : [{ kind: "own-user", range }];
  if (await mayBeMachineRoot()) return ownUser;
  return [
    ...ownUser,
    { kind: "user-namespace", sealed: true },
    { kind: "user-namespace", sealed: false },
  ];
}

/**
 * Before Linux 5.14 the limit counted all processes of the hub's user, wherever they run; since then a user namespace
 * counts its own.
 */
async function needsPrlimit(groups: ControlGroups): Promise<boolean> {
  if ((await groups.abilities()).processLimit) return false;
  const [major = 0, minor = 0] = release().split(".").map(Number);
  if ((await findIdRange()) === null && (major < 5 || (major === 5 && minor < 14))) return false;
  return access(PRLIMIT).then(
    () => true,
    () => false,
  );
}
