import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parse, YAMLError } from "yaml";
import { BatchFault, parseBatch } from "../../core/batch-file.ts";
import type { NamedTask } from "../../core/batch-file.ts";
import { CommandError } from "../exit.ts";

const LARGEST_BYTES = 4 * 1024 * 1024;

/** The tasks of a file in YAML or JSON; `-` is standard input. */
export async function readBatch(path: string): Promise<NamedTask[]> {
  const name = path === "-" ? "standard input" : path;
  const content = path === "-" ? await text(process.stdin) : await readBounded(path);
  try {
    return parseBatch(parse(content, { maxAliasCount: 100 }));
  } catch (error) {
    if (
      error instanceof BatchFault ||
      error instanceof YAMLError ||
      error instanceof ReferenceError
    )
      throw new CommandError("usage", `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > LARGEST_BYTES)
      throw new CommandError("usage", `${path} is larger than ${LARGEST_BYTES} bytes`);
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof Error && "code" in error)) throw error;
    throw new CommandError("usage", `${path} cannot be read (${String(error.code)})`, {
      cause: error,
    });
  }
}
