import { z } from "zod";
import { RepositorySettings } from "../core/repository-settings.ts";

/** JSON Schema of `.github/claude-hub.yml`, for editors. */
export function repositorySchema(): string {
  const schema = z.toJSONSchema(RepositorySettings, { io: "input", unrepresentable: "any" });
  const head = { title: "Settings of a repository for Claude Hub", ...schema };
  return `${JSON.stringify(head, null, 2)}\n`;
}
