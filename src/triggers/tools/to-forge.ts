import { neutralise } from "../report/neutralise.ts";
import type { ToolDeps } from "./tool-maker.ts";

/** GitHub takes 65,536 characters; the hub's own lines go below. */
export const TEXT_CHARS = 60_000;

/** What an agent wrote, as it may stand on the forge: no secret in it, nobody called, nothing closed or fetched by it. */
export function toForge({ redact }: Pick<ToolDeps, "redact">, text: string, maxChars: number) {
  return neutralise(redact(text), maxChars).trim();
}
