import { z } from "zod";
import { parseSize } from "../core/session-limits.ts";

/** One variable of the configuration: how it is read, and what stands in the documentation. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  variable: string;
  schema: Schema;
  /** What it is when nothing sets it, as it would be written. */
  fallback: string | undefined;
  /** Shown instead of the default. */
  fallbackText?: string;
  /** What is expected, to follow "must be". */
  expected: string;
  secret: boolean;
  doc: string;
}

/** What can be sent in a header. */
export const VISIBLE = /^[\x21-\x7e]+$/;
export const VISIBLE_EXPECTED = "visible ASCII characters without blanks";

/** What clients show; a shorter one could be guessed. */
export const BEARER_TOKEN = /^[\x21-\x7e]{8,}$/;
export const BEARER_TOKEN_EXPECTED = "at least 8 visible ASCII characters without blanks";

/** 32 bytes in base64. */
export const SEALING_KEY = /^[A-Za-z0-9+/]{43}=$/;
export const SEALING_KEY_EXPECTED = "32 bytes in base64";

/** Protocols of addresses that are asked by HTTP. */
export const WEB = /^https?$/;

interface Options {
  fallback?: string;
  fallbackText?: string;
  expected?: string;
}

function make<Schema extends z.ZodType>(
  variable: string,
  doc: string,
  schema: Schema,
  expected: string,
  { fallback, fallbackText }: Options,
  isSecret = false,
): Setting<Schema> {
  return {
    variable,
    doc,
    schema,
    expected,
    secret: isSecret,
    fallback,
    ...(fallbackText === undefined ? {} : { fallbackText }),
  };
}

export function text(variable: string, doc: string, options: Options = {}) {
  return make(variable, doc, z.string().max(4_096), options.expected ?? "text", options);
}

/** The whole value is a secret; the error for one that does not fit shows nothing of it. */
export function secret(
  variable: string,
  doc: string,
  { pattern = /./, ...options }: Options & { pattern?: RegExp } = {},
) {
  const schema = z.string().max(65_536).regex(pattern);
  return make(variable, doc, schema, options.expected ?? "text", options, true);
}

/** A whole number; `_` may group its digits. */
export function whole(
  variable: string,
  doc: string,
  { min, max, ...options }: Options & { min: number; max: number },
) {
  const schema = z
    .string()
    .regex(/^\d[\d_]*$/)
    .transform((value) => Number(value.replaceAll("_", "")))
    .pipe(z.int().min(min).max(max));
  return make(variable, doc, schema, `a whole number from ${min} to ${max}`, options);
}

export function amount(variable: string, doc: string, options: Options = {}) {
  const schema = z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().positive());
  return make(variable, doc, schema, "a positive number", options);
}

/** Bytes; `k`, `m` and `g` at the end stand for powers of 1,024. */
export function size(variable: string, doc: string, options: Options = {}) {
  const schema = z
    .string()
    .regex(/^\d+[kmg]?$/i)
    .transform(parseSize)
    .pipe(z.int().positive());
  return make(variable, doc, schema, "a number of bytes, such as 512m or 4g", options);
}

export function flag(variable: string, doc: string, options: Options = {}) {
  const schema = z.enum(["true", "false"]).transform((value) => value === "true");
  return make(variable, doc, schema, "true or false", options);
}

export function choice<const Values extends readonly [string, ...string[]]>(
  variable: string,
  doc: string,
  values: Values,
  options: Options = {},
) {
  return make(variable, doc, z.enum(values), `one of ${values.join(", ")}`, options);
}

export function url(variable: string, doc: string, protocol: RegExp, options: Options = {}) {
  const schema = z.url({ protocol }).max(4_096);
  return make(variable, doc, schema, options.expected ?? "an http or https address", options);
}

export function names(variable: string, doc: string, options: Options = {}) {
  const schema = z
    .string()
    .transform((value) => value.split(",").map((name) => name.trim()))
    .transform((list) => list.filter((name) => name !== ""));
  return make(variable, doc, schema, "a list with commas", options);
}

export function from<Schema extends z.ZodType>(
  variable: string,
  doc: string,
  schema: Schema,
  options: Options & { expected: string },
) {
  return make(variable, doc, schema, options.expected, options);
}

/** A list with commas whose every entry has to fit. */
export function listOf<Schema extends z.ZodType<unknown, string>>(entry: Schema) {
  return z
    .string()
    .transform((value) => value.split(",").map((one) => one.trim()))
    .transform((list) => list.filter((one) => one !== ""))
    .pipe(z.array(entry));
}
