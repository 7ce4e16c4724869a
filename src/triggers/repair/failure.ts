import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { quoted, sanitise, verbatim } from "../text/sanitise.ts";

/** A check that has failed, with the end of its log where the forge keeps one. */
export interface Failure {
  name: string;
  conclusion: string;
  log: string;
}

const SHOWN_CHECKS = 10;
const NAME_CHARS = 200;
const LOG_CHARS = 25_000;
const TAIL_CHARS = 3_500;
const ERROR_CHARS = 1_500;
const LINE_CHARS = 300;
const ERROR_LINES = 40;
const LAST_LINES = 10;

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?/;
const ERROR =
  /\b(?:error|errors|fail|fails|failed|failure|fatal|panic|exception|expected|assert\w*|undefined|cannot|not ok)\b|[✗✘×❌]/i;

/** What failed, as data for an agent: names and logs are written by whatever runs in the checks. */
export function failureText(failures: readonly Failure[]): string {
  const shown = failures.slice(0, SHOWN_CHECKS).map(({ name, conclusion, log }) => {
    const lines = linesOf(log);
    const tail = lines.join("\n").slice(-TAIL_CHARS);
    const errors = lines
      .filter((line) => ERROR.test(line) && !tail.includes(line))
      .slice(-ERROR_LINES)
      .join("\n")
      .slice(-ERROR_CHARS);
    const parts = [
      `Check ${JSON.stringify(sanitise(name).slice(0, NAME_CHARS))}: ${conclusion}`,
      errors === "" ? "" : `Earlier lines that speak of errors:\n${quoted(errors)}`,
      tail === "" ? "(there is no log of it)" : `The end of its log:\n${quoted(tail)}`,
    ];
    return parts.filter((part) => part !== "").join("\n");
  });
  const omitted = failures.length - shown.length;
  return [
    "Checks that failed on the head of the branch, with what they wrote:",
    ...shown,
    ...(omitted === 0 ? [] : [`(${omitted} more checks failed)`]),
  ].join("\n\n");
}

/** Two failures with the same one are the same failure: same checks, same errors, whatever the time and the numbers. */
export function fingerprintOf(failures: readonly Failure[]): string {
  const parts = failures
    .map(({ name, log }) => {
      const lines = linesOf(log);
      const errors = lines.filter((line) => ERROR.test(line)).slice(-ERROR_LINES);
      const telling = errors.length > 0 ? errors : lines.slice(-LAST_LINES);
      return JSON.stringify([name, [...new Set(telling.map(normalised))].toSorted()]);
    })
    .toSorted();
  return createHash("sha256").update(parts.join("\n")).digest("base64url").slice(0, 22);
}

function linesOf(log: string): string[] {
  const text = stripVTControlCharacters(log.slice(-LOG_CHARS).toWellFormed());
  return verbatim(text)
    .split("\n")
    .map((line) => line.replace(STAMP, "").trimEnd().slice(0, LINE_CHARS))
    .filter((line) => line !== "");
}

function normalised(line: string): string {
  return line
    .toLowerCase()
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "id")
    .replaceAll(/\b(?=[a-f]*\d)[0-9a-f]{7,}\b/g, "id")
    .replaceAll(/\/(?:tmp|var\/folders|home\/[^/\s]+)\/\S*/g, "path")
    .replaceAll(/\d+(?:[.,:]\d+)*/g, "0")
    .replaceAll(/\s+/g, " ")
    .trim();
}
