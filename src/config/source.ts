import { readFileSync } from "node:fs";
import type { z } from "zod";
import { Secret } from "../core/secret.ts";
import type { Setting } from "./setting.ts";

/** A configuration that cannot be used: one sentence for the operator. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** Reads settings from where they are set: the first of these that has one. */
export interface Source {
  required<Schema extends z.ZodType>(setting: Setting<Schema>): z.infer<Schema>;
  optional<Schema extends z.ZodType>(setting: Setting<Schema>): z.infer<Schema> | null;
  /** From `NAME_FILE`, a file, rather than from `NAME`. */
  secret(setting: Setting): Secret | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** @param layers Variables by name, the strongest first. An empty one counts as not set. */
export function createSource(layers: readonly Variables[]): Source {
  function find(variable: string): string | undefined {
    return layers.map((layer) => layer[variable]?.trim()).find((value) => Boolean(value));
  }

  return {
    required(setting) {
      return parse(setting, find(setting.variable) ?? setting.fallback ?? "");
    },
    optional(setting) {
      const value = find(setting.variable);
      return value === undefined ? null : parse(setting, value);
    },
    secret({ variable }) {
      const path = find(`${variable}_FILE`);
      if (path === undefined) {
        const value = find(variable);
        return value === undefined ? null : new Secret(value);
      }
      const value = readSecretFile(`${variable}_FILE`, path);
      if (value === "")
        throw new ConfigError(
          `${variable}_FILE names ${path}, which is empty; it must hold the secret.`,
        );
      return new Secret(value);
    },
  };
}

function parse<Schema extends z.ZodType>(setting: Setting<Schema>, value: string): z.infer<Schema> {
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `${setting.variable} is ${JSON.stringify(value.slice(0, 200))} but must be ${setting.expected}.`,
  );
}

function readSecretFile(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new ConfigError(
      `${variable} is ${JSON.stringify(path)} but must be a file that the hub can read (${code}).`,
    );
  }
}
