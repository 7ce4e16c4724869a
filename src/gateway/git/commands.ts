import { invalidRequest } from "../../core/errors.ts";
import type { Packet, PacketReader } from "./pkt-line.ts";

export interface RefCommand {
  ref: string;
  oldSha: string;
  newSha: string;
}

export interface PushCommands {
  commands: RefCommand[];
  capabilities: ReadonlySet<string>;
}

/** The object name that stands for "no such ref". */
export const NO_SHA = "0".repeat(40);

/** So many are read, so that a push of too many refs can be refused in words that git shows. */
const MAX_READ = 1_000;

/**
 * Reads the list of commands that begins a push, and leaves the reader at the pack. `probe` is the lone 0000 that git
 * sends ahead of a large push to try the connection. Source: gitprotocol-pack(5), "Reference Update Request".
 */
export async function readCommands(reader: PacketReader): Promise<PushCommands | "probe"> {
  const commands: RefCommand[] = [];
  let capabilities: ReadonlySet<string> = new Set();
  // A client with a shallow copy names its borders; the mirror is whole, so they change nothing.
  const maxPackets = MAX_READ + 10_000;
  for (let count = 0; count < maxPackets; count += 1) {
    const packet = await reader.read();
    if (packet?.kind === "flush")
      return commands.length === 0 ? "probe" : { commands, capabilities };
    const line = textOf(packet);
    if (line.startsWith("shallow ")) continue;
    if (line.startsWith("push-cert")) throw invalidRequest("", "signed pushes are not supported");
    if (commands.length >= MAX_READ) break;
    const [text = "", words] = line.split("\0");
    if (commands.length === 0) capabilities = readCapabilities(words ?? "");
    commands.push(readCommand(text));
  }
  throw invalidRequest("", "the list of commands is too long");
}

function textOf(packet: Packet | null): string {
  if (packet?.kind !== "data") throw invalidRequest("", "the list of commands does not end");
  return packet.data.toString().replace(/\n$/, "");
}

function readCommand(text: string): RefCommand {
  const [, oldSha, newSha, ref] =
    /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/.{1,500})$/.exec(text) ?? [];
  if (oldSha === undefined || newSha === undefined || ref === undefined)
    throw invalidRequest("", "a line of the push is not a command");
  return { ref, oldSha, newSha };
}

function readCapabilities(words: string): ReadonlySet<string> {
  const capabilities = new Set(words.split(" ").filter((word) => word !== ""));
  if (capabilities.has("push-options")) throw invalidRequest("", "push options are not supported");
  if (capabilities.has("object-format=sha256"))
    throw invalidRequest("", "only SHA-1 repositories are supported");
  return capabilities;
}
