import type { Hooks } from "./hooks.ts";
import { installationBody } from "./present/people.ts";
import { shortRepositoryBody } from "./present/repository.ts";
import type { Installation, Repository } from "./state.ts";
import { reaches, stamp } from "./world.ts";
import type { World } from "./world.ts";

export function emitInstallation(
  world: World,
  hooks: Hooks,
  installation: Installation,
  action: string,
): void {
  const reached = world.repositories.filter((each) => reaches(installation, each));
  hooks.emit({
    name: "installation",
    action,
    sender: installation.account,
    installation,
    payload: {
      installation: installationBody(world, installation),
      repositories: reached.map(shortRepositoryBody),
      requester: null,
    },
  });
}

/** Its tokens are worth nothing from now on. */
export function uninstall(world: World, hooks: Hooks, installation: Installation): void {
  emitInstallation(world, hooks, installation, "deleted");
  world.installations.splice(world.installations.indexOf(installation), 1);
  for (const [value, token] of world.tokens) {
    if (token.installation === installation) world.tokens.delete(value);
  }
}

export function suspend(
  world: World,
  hooks: Hooks,
  installation: Installation,
  suspended: boolean,
): void {
  installation.suspendedAt = suspended ? stamp(world) : null;
  emitInstallation(world, hooks, installation, suspended ? "suspend" : "unsuspend");
}

function list(repository: Repository | undefined) {
  return repository === undefined ? [] : [shortRepositoryBody(repository)];
}

/** Gives an installation one repository more, or takes one away. */
export function choose(
  world: World,
  hooks: Hooks,
  installation: Installation,
  change: { add?: Repository; remove?: Repository },
): void {
  installation.repositories ??= new Set(
    world.repositories.filter((each) => each.owner === installation.account),
  );
  if (change.add !== undefined) installation.repositories.add(change.add);
  if (change.remove !== undefined) installation.repositories.delete(change.remove);
  hooks.emit({
    name: "installation_repositories",
    action: change.add === undefined ? "removed" : "added",
    sender: installation.account,
    installation,
    payload: {
      installation: installationBody(world, installation),
      repository_selection: "selected",
      repositories_added: list(change.add),
      repositories_removed: list(change.remove),
      requester: null,
    },
  });
}
