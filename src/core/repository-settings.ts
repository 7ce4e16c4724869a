import { z } from "zod";
import { EgressRule } from "./egress.ts";

const MAX_RULES = 100;

/** A reference of an image: registry, name, tag, digest. Source: the grammar of distribution's `reference` package. */
export const ImageName = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9][a-z0-9.:_/-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/i,
    "must be the name of an image",
  )
  .refine((name) => !name.includes("//") && !name.endsWith("/"), "must be the name of an image");

/** `.github/claude-hub.yml`: what a repository asks for. Whether it gets that is the operator's decision. */
export const RepositorySettings = z.strictObject({
  /** Hosts that sandboxes may reach. An address is never a repository's to open. */
  egress: z
    .array(EgressRule.refine(({ isAddress }) => !isAddress, "is an address"))
    .max(MAX_RULES)
    .default([]),
  /** Image of its sandboxes, for the runtime `docker`. */
  image: ImageName.nullable().default(null),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

export const REPOSITORY_SETTINGS_PATH = ".github/claude-hub.yml";

/** Whether an image names the registry that it comes from: others are looked for on this machine alone. */
export function namesRegistry(image: string): boolean {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first);
}
