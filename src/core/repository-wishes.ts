import type { EgressPreset } from "./egress.ts";
import type { Repository } from "./repository.ts";
import type { RepositorySettings } from "./repository-settings.ts";

/** What repositories may choose among. */
export interface Allowed {
  models: readonly string[];
  images: readonly string[];
  egressPresets: readonly EgressPreset[];
  /** `owner/name`, `owner/*` or `*`: those that may add hosts of their own. */
  egressRepositories: readonly string[];
}

/** Something that a file asks for in vain: the rest of it counts all the same. */
export interface VainWish {
  path: (string | number)[];
  message: string;
}

export function vainWishes(
  allowed: Allowed,
  repository: Repository,
  { image, egress, egressPresets, models = {} }: RepositorySettings,
): VainWish[] {
  const wishes: VainWish[] = [];
  const add = (path: (string | number)[], what: string) =>
    wishes.push({ path, message: `${path[0]}: ${what} not allowed here` });
  if (image !== null && !allowed.images.includes(image)) add(["image"], `the image ${image} is`);
  if (egress.length > 0 && !isAmong(allowed.egressRepositories, repository))
    add(["egress"], "hosts of a repository's own are");
  for (const [index, preset] of egressPresets.entries())
    if (!allowed.egressPresets.includes(preset)) add(["egressPresets", index], `${preset} is`);
  for (const [use, model] of Object.entries(models))
    if (model !== undefined && !allowed.models.includes(model))
      add(["models", use], `the model ${model} is`);
  return wishes;
}

/** @param patterns `owner/name`, `owner/*` or `*`. */
export function isAmong(patterns: readonly string[], repository: Repository): boolean {
  const name = repository.toLowerCase();
  return patterns.some((pattern) => {
    const text = pattern.toLowerCase();
    return (
      text === "*" || text === name || (text.endsWith("/*") && name.startsWith(text.slice(0, -1)))
    );
  });
}
