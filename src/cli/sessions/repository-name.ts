import { CommandError } from "../exit.ts";

/** `owner/name`; one without an owner is the usual owner's. */
export function wholeName(repository: string, owner: string | null): string {
  if (repository.includes("/")) return repository;
  if (owner !== null) return `${owner}/${repository}`;
  throw new CommandError(
    "usage",
    `${JSON.stringify(repository)} names no owner: say owner/${repository}, or set DEFAULT_GITHUB_OWNER`,
  );
}
