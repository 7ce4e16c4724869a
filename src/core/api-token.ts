import { z } from "zod";
import { SCOPES, Scope } from "./access.ts";
import { Id } from "./id.ts";
import { Repository } from "./repository.ts";

const REPOSITORIES = 100;

/** A token as somebody asks for it. */
export const NewApiToken = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .regex(/^[^\p{Cc}]*$/u, "must not contain control characters")
      .meta({ description: "Whose it is, or what for." }),
    scopes: z
      .array(Scope)
      .min(1)
      .max(SCOPES.length)
      .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope)))
      .meta({ description: "`admin` includes `write`, and `write` includes `read`." }),
    repositories: z
      .array(Repository)
      .min(1)
      .max(REPOSITORIES)
      .transform((names) => [...new Set(names)])
      .optional()
      .meta({ description: "The only ones whose sessions it sees and makes; left out: all." }),
    orchestrationId: Id.optional().meta({
      description: "The only one whose sessions it sees, and into which it makes them.",
    }),
    expiresAt: z.iso.datetime().optional(),
  })
  .refine(
    ({ scopes, repositories, orchestrationId }) =>
      !scopes.includes("admin") || (repositories === undefined && orchestrationId === undefined),
    { path: ["scopes"], error: "admin cannot be limited to repositories or an orchestration" },
  );
export type NewApiToken = z.infer<typeof NewApiToken>;

/** A token without what proves it; times are UTC ISO strings. */
export interface ApiToken {
  id: Id;
  name: string;
  scopes: Scope[];
  /** Null: all. */
  repositories: Repository[] | null;
  orchestrationId: Id | null;
  createdAt: string;
  expiresAt: string | null;
  /** To the minute. */
  lastUsedAt: string | null;
  revokedAt: string | null;
}
