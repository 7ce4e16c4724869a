/**
 * Splits a request target into path steps and query, or answers null when the path is not in its one plain spelling.
 * Nothing is decoded or normalised: no name that the doors know needs an escape, so every escape, empty step and dot
 * step is an attempt to say one path and mean another.
 */
export function readPath(target: string): { steps: string[]; query: URLSearchParams } | null {
  const [path = "", query = ""] = splitOnce(target, "?");
  if (!path.startsWith("/") || !/^[\w./-]+$/.test(path)) return null;
  const steps = path.slice(1).split("/");
  if (steps.some((step) => step === "" || step === "." || step === "..")) return null;
  return { steps, query: new URLSearchParams(query) };
}

/** The step that chooses the door; each door then reads the rest as strictly as what lies behind it asks for. */
export function firstStep(target: string): string {
  return /^\/([\w-]+)(?:\/|\?|$)/.exec(target)?.[1] ?? "";
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
