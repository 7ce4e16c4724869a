import { Refused } from "./refused.ts";

/** What a request line asks for. */
export interface Target {
  /** `/v1.41`, or nothing. */
  version: string;
  path: string;
  query: Record<string, string>;
}

const MAX_CHARS = 2_048;
/** Whole segments of few characters: nothing is left that one reader could take for another path than the next. */
const SHAPE = /^(\/v1\.\d{1,2})?((?:\/[A-Za-z0-9_][A-Za-z0-9_.:-]*)+)$/;

/** @throws Refused for every path that is not in its one plain form: no escapes, no dots, no empty segments. */
export function parseTarget(url: string): Target {
  if (url.length > MAX_CHARS) throw new Refused("the address is too long");
  const [, head = "", tail = ""] = /^([^?]*)\??(.*)$/s.exec(url) ?? [];
  const found = SHAPE.exec(head);
  if (found === null) throw new Refused("the path is not in its plain form");
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(tail)) {
    if (name in query) throw new Refused("a parameter is given twice");
    query[name] = value;
  }
  return { version: found[1] ?? "", path: found[2] ?? "", query };
}

/** A query made anew of what was read from one. */
export function queryOf(query: Readonly<Record<string, string | undefined>>): string {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) made.append(name, value);
  return made.size === 0 ? "" : `?${made.toString()}`;
}
