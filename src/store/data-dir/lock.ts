import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, rename, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { hasCode } from "../failure.ts";

const CLAIM = /^lock\.[0-9a-f]{16}$/;
const DRAFT = /^draft-lock\.[0-9a-f]{16}$/;
const ANSWER_MS = 2_000;
const WAIT_MS = 10_000;
const LOOK_MS = 20;

/** What a claim says of itself. */
interface Rival {
  name: string;
  /** Also of one that is stopped, or too busy to say. */
  holds: boolean;
  /** Null: it is alive, but does not say. */
  pid: string | null;
}

/**
 * Takes a directory for this process alone, or throws and names who has it. A claim is a socket that its process
 * listens on: the kernel stops answering the moment that it dies, so no claim outlives its process and no pid is ever
 * mistaken for another's.
 *
 * Everybody makes a claim known first and looks for others then, so that of two at least one sees the other; only who
 * sees nobody else alive holds. Names are never used twice: what is dead stays dead, and anybody may delete it.
 */
export async function lockDirectory(dir: string): Promise<AsyncDisposable> {
  const name = `lock.${randomBytes(8).toString("hex")}`;
  let holds = false;
  const server = createServer((socket) => {
    // Who has asked and is gone already needs no answer.
    socket.on("error", () => undefined);
    socket.end(`${holds ? "holds" : "tries"} ${process.pid}`);
  });
  server.unref();
  const release = async () => {
    await rm(join(dir, name), { force: true });
    const closed = once(server, "close");
    server.close();
    await closed;
  };
  // Under the name that others look for only once it answers: until then it would be taken for dead.
  server.listen(join(dir, `draft-${name}`));
  await once(server, "listening");
  try {
    await rename(join(dir, `draft-${name}`), join(dir, name));
    await outlast(dir, name);
  } catch (error) {
    await release();
    throw error;
  }
  holds = true;
  await living(dir, DRAFT);
  return { [Symbol.asyncDispose]: release };
}

/** Whether somebody has taken the directory, and lives. */
export async function isTaken(dir: string): Promise<boolean> {
  return (await living(dir, CLAIM)).some(({ holds }) => holds);
}

/** Returns once there is nobody else. Of those that come at the same time the first in the order of names goes on. */
async function outlast(dir: string, name: string): Promise<void> {
  for (const end = performance.now() + WAIT_MS; ;) {
    const rivals = (await living(dir, CLAIM)).filter((rival) => rival.name !== name);
    if (rivals.length === 0) return;
    const winner = rivals.find((rival) => rival.holds || rival.name < name);
    if (winner !== undefined || performance.now() > end)
      throw taken((winner ?? rivals[0])?.pid ?? null);
    await pause(LOOK_MS);
  }
}

function taken(pid: string | null): Error {
  const who = pid === null ? "another hub" : `another hub (process ${pid})`;
  return new Error(`${who} is at work in the same data directory`);
}

/** Those that answer; what does not is deleted. */
async function living(dir: string, pattern: RegExp): Promise<Rival[]> {
  const names = (await readdir(dir)).filter((name) => pattern.test(name));
  const found: Rival[] = [];
  for (const name of names) {
    const said = await ask(join(dir, name));
    if (said === null) await rm(join(dir, name), { force: true });
    else found.push({ name, ...said });
  }
  return found;
}

/** Null: nobody is there. */
async function ask(path: string): Promise<Omit<Rival, "name"> | null> {
  const socket = connect(path);
  let silent = false;
  socket.setTimeout(ANSWER_MS, () => {
    silent = true;
    socket.destroy();
  });
  let text = "";
  try {
    for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
  } catch (error) {
    if (hasCode(error, "ECONNREFUSED", "ENOENT")) return null;
    if (hasCode(error, "EACCES", "EPERM", "ENAMETOOLONG", "EINVAL")) throw error;
    // It has ended meanwhile, which the next look will tell, or it is there and does not answer.
  } finally {
    socket.destroy();
  }
  const [, word, pid] = /^(holds|tries) (\d+)$/.exec(text) ?? [];
  return { holds: silent || word === "holds", pid: pid ?? null };
}
