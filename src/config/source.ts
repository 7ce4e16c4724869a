import { readFileSync } from "node:fs";
import type { z } from "zod";
import { Secret } from "../core/secret.ts";
import type { Variables } from "./environment.ts";
import type { Setting } from "./setting.ts";

/** A configuration that cannot be used: one sentence for the operator. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** Reads settings from where they are set: the first of these that has one. */
export interface Source {
  required<Schema extends z.ZodType>(setting: Setting<Schema>): z.infer<Schema>;
  optional<Schema extends z.ZodType>(setting: Setting<Schema>): z.infer<Schema> | null;
  /** In each layer from `NAME_FILE`, a file, rather than from `NAME`. */
  secret(setting: Setting<z.ZodType<string>>): Secret | null;
}

/** @param layers Variables by name, the strongest first. An empty one counts as not set. */
export function createSource(layers: readonly Variables[]): Source {
  function find(variable: string): string | undefined {
    return layers.map((layer) => valueIn(layer, variable)).find((value) => value !== undefined);
  }

  return {
    required(setting) {
      return parse(setting, find(setting.variable) ?? setting.fallback ?? "");
    },
    optional(setting) {
      const value = find(setting.variable);
      return value === undefined ? null : parse(setting, value);
    },
    secret(setting) {
      const name = `${setting.variable}_FILE`;
      for (const layer of layers) {
        const path = valueIn(layer, name);
        if (path !== undefined)
          return parseSecret(
            setting,
            readSecretFile(name, path),
            `${name} is ${JSON.stringify(path)}, and what that file holds`,
          );
        const value = valueIn(layer, setting.variable);
        if (value !== undefined)
          return parseSecret(setting, value, `${setting.variable} is a secret that`);
      }
      return null;
    },
  };
}

function valueIn(layer: Variables, variable: string): string | undefined {
  const value = layer[variable]?.trim();
  return value === "" ? undefined : value;
}

function parse<Schema extends z.ZodType>(setting: Setting<Schema>, value: string): z.infer<Schema> {
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // The password of an address is a secret, whatever the setting.
  const shown = value.replaceAll(/\/\/[^/\s]*@/g, "//***@").slice(0, 200);
  throw new ConfigError(
    `${setting.variable} is ${JSON.stringify(shown)} but must be ${setting.expected}.`,
  );
}

function parseSecret(setting: Setting<z.ZodType<string>>, value: string, what: string): Secret {
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return new Secret(parsed.data);
  throw new ConfigError(`${what} does not fit: it must be ${setting.expected}.`);
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
