import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { loadConfig } from "./config.ts";
import type { Variables } from "./environment.ts";
import { readAddress } from "./hub-address.ts";

/** The hub of a data directory on this machine, as far as what is kept there says. */
export interface LocalHub {
  dir: string;
  /** Null: none has said where it listens. */
  url: string | null;
  /** Null: it is nowhere that can be read. */
  token: Secret | null;
}

/** Makes nothing. The address is true only while a hub holds the directory. */
export async function readLocalHub(flags: Variables): Promise<LocalHub> {
  const { dir, secrets } = loadConfig({ flags });
  return {
    dir,
    url: await readAddress(dir),
    token: secrets.webhook ?? (await keptToken(dir)),
  };
}

async function keptToken(dir: string): Promise<Secret | null> {
  try {
    const text = (await readFile(join(dir, "webhook-secret"), "utf8")).trim();
    return text === "" ? null : new Secret(text);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
