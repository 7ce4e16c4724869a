import type { Document, LineCounter, Pair } from "yaml";
import type { z } from "zod";
import {
  NO_REPOSITORY_SETTINGS,
  REPOSITORY_SETTINGS_PATH as PATH,
  RepositorySettings,
} from "./repository-settings.ts";

/** Something that is wrong with the file. */
export interface SettingsFault {
  /** Without the file's name: `egress.0: 10.0.0.1 is an address`. */
  message: string;
  /** Counted from 1. */
  line: number;
}

export interface RepositoryFile {
  settings: RepositorySettings;
  /** Nothing of the file counts when there is one. */
  faults: SettingsFault[];
  /** Where a value stands, counted from 1. */
  lineOf(path: readonly (string | number)[]): number;
}

export const NO_REPOSITORY_FILE: RepositoryFile = {
  settings: NO_REPOSITORY_SETTINGS,
  faults: [],
  lineOf: () => 1,
};

const MAX_FAULTS = 20;
const MESSAGE_CHARS = 300;
/** Few files have any; one that unfolds into millions is no file of settings. */
const MAX_ALIASES = 100;

/** Reads the text of `.github/claude-hub.yml`. */
export async function readRepositoryFile(text: string): Promise<RepositoryFile> {
  // Most hubs never need it.
  const { LineCounter: Lines, parseDocument } = await import("yaml");
  const lines = new Lines();
  const document = parseDocument(text, { lineCounter: lines, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) return broken("is not YAML", lines.linePos(error.pos[0]).line);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return broken("is not YAML", 1);
  }
  const file = RepositorySettings.safeParse(value ?? {});
  const lineOf = (path: readonly PropertyKey[], unknown?: string) =>
    lineIn(document, lines, path, unknown);
  if (file.success) return { settings: file.data, faults: [], lineOf };
  const faults = file.error.issues.slice(0, MAX_FAULTS).map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    return { message: messageOf(issue), line: lineOf(issue.path, unknown) };
  });
  return { ...NO_REPOSITORY_FILE, faults };
}

/** The first of its faults in one sentence. */
export function faultSentence([first]: readonly SettingsFault[]): string | null {
  if (first === undefined) return null;
  const verb = first.message.startsWith("is ") ? " " : " does not fit: ";
  return `${PATH}${verb}${first.message}`.slice(0, MESSAGE_CHARS).toWellFormed();
}

function broken(message: string, line: number): RepositoryFile {
  return { ...NO_REPOSITORY_FILE, faults: [{ message, line: Math.max(1, line) }] };
}

function messageOf({ path, message }: z.core.$ZodIssue): string {
  const where = path.map(String).join(".");
  return `${where === "" ? "" : `${where}: `}${message}`.slice(0, MESSAGE_CHARS).toWellFormed();
}

/** Where the value stands that does not fit, or the key that nobody knows. */
function lineIn(
  document: Document,
  lines: LineCounter,
  value: readonly PropertyKey[],
  unknown?: string,
): number {
  for (let path = value; ; path = path.slice(0, -1)) {
    const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    const key = unknown === undefined ? null : keyIn(node, unknown);
    const offset = startOf(key ?? node);
    if (offset !== null) return Math.max(1, lines.linePos(offset).line);
    if (path.length === 0) return 1;
  }
}

function keyIn(node: unknown, name: string): unknown {
  if (typeof node !== "object" || node === null || !("items" in node)) return null;
  const items: readonly Pair[] = Array.isArray(node.items) ? node.items : [];
  return items.find(({ key }) => String(key) === name)?.key ?? null;
}

function startOf(node: unknown): number | null {
  if (typeof node !== "object" || node === null || !("range" in node)) return null;
  const start: unknown = Array.isArray(node.range) ? node.range[0] : null;
  return typeof start === "number" ? start : null;
}
