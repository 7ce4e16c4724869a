import { chown } from "node:fs/promises";
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
import { accountArguments } from "./system.ts";

export const PRLIMIT = "/usr/bin/prlimit";

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
