#!/usr/bin/env node
// Stands in for `claude -p --output-format stream-json --verbose`. What it does is told by a directive in the prompt; see
// stand-in.ts for the steps. Plain JavaScript and synchronous, because it must start fast and may be run by any Node.js.
import * as fs from "node:fs";
import { dirname } from "node:path";

const argv = process.argv.slice(2);
const startedAt = Date.now();
const sessionId = valueOf("--session-id") ?? valueOf("--resume") ?? idOf(0);
const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 0 };
let lines = 0;
let turns = 0;
let result = { summary: "Nothing was asked of the stand-in.", nextSteps: [] };
/** Lines that are no JSON, half of one, JSON of no known kind, no UTF-8, and control characters. */
const GARBAGE = [
  "Segmentation fault (not really)\n",
  '{"type":"assistant","message":{"content":[\n',
  '{"type":"nobody_knows","value":1}\n',
  "[1,2,3]\n",
  Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0a]),
  "\u001b[31mred\u0000\u0007\r\n",
  "\n",
  "null\n",
];

/** What a step can be; the words are explained in stand-in.ts. Each gets its value and the whole step. */
const actions = {
  print: say,
  raw: (text) => writeAll(1, `${text}\n`),
  stderr: (text) => writeAll(2, `${text}\n`),
  lines(count, { everyMs = 0, bytes = 0 }) {
    for (let line = 1; line <= count; line += 1) {
      say(`line ${line} of ${count}`.padEnd(bytes, "."));
      if (everyMs > 0) sleep(everyMs);
    }
  },
  garbage(count) {
    for (let line = 0; line < count; line += 1) writeAll(1, GARBAGE[line % GARBAGE.length]);
  },
  longLineBytes: (bytes) => say("x".repeat(bytes)),
  sleepMs: sleep,
  silentMs: sleep,
  ignoreSignals() {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
  },
  exit: (code) => process.exit(code),
  killSelf(signal) {
    process.kill(process.pid, signal);
    // The signal is delivered when it suits the system; nothing may be said after it.
    sleep(60_000);
  },
  fork({ seconds, holdOutput = false }) {
    const { spawn } = process.getBuiltinModule("node:child_process");
    const stdio = holdOutput ? "inherit" : "ignore";
    const child = spawn("sleep", [String(seconds)], { detached: true, stdio });
    child.unref();
    say(`forked ${child.pid}`);
  },
  fillDiskBytes(bytes) {
    const piece = Buffer.alloc(1024 * 1024, "x");
    const file = fs.openSync("filler", "a");
    let written = 0;
    try {
      while (written < bytes) {
        written += fs.writeSync(file, piece, 0, Math.min(piece.length, bytes - written));
      }
      say(`wrote ${written} bytes to the disk`);
    } catch (error) {
      say(`wrote ${written} bytes to the disk, then ${error.code}`);
    } finally {
      fs.closeSync(file);
    }
  },
  write: ({ path, content }) =>
    call("Write", { file_path: path, content }, () => {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.writeFileSync(path, content);
      return { text: `File written: ${path}`, isError: false };
    }),
  run: shell,
  commit: (message) => shell(`git add -A && git commit -q -m ${quote(message)}`),
  push: (refspec) => shell(`git push origin ${quote(refspec === true ? "HEAD" : refspec)}`),
  async model({ text = "Hello", maxTokens: max_tokens = 100, calls = 1 }) {
    const url = `${process.env.ANTHROPIC_BASE_URL}/v1/messages`;
    const key = { "anthropic-version": "2023-06-01", "x-api-key": process.env.ANTHROPIC_API_KEY };
    const model = valueOf("--model") ?? "stand-in";
    const asked = { model, max_tokens, messages: [{ role: "user", content: text }] };
    for (let at = 0; at < calls; at += 1) {
      const answer = await post(url, key, asked);
      const [status] = /^\d+(?= )/.exec(answer) ?? [];
      if (status === undefined) say(`model could not be asked: ${answer}`);
      else say(`model answered ${status}: ${answer.slice(4, 1_004)}`);
    }
  },
  async tool({ name, input = {} }) {
    const text = await askHub(name, input);
    call(`mcp__hub__${name}`, input, () => ({ text, isError: false }));
  },
  result(value) {
    result = value;
  },
};

if (argv.includes("--version")) {
  writeAll(1, "0.0.0 (stand-in)\n");
  process.exit(0);
}
recordStart();
emit({
  type: "system",
  subtype: "init",
  cwd: process.cwd(),
  tools: ["Bash", "StructuredOutput", "Write"],
  mcp_servers: [],
  model: valueOf("--model") ?? "stand-in",
  permissionMode: "bypassPermissions",
  apiKeySource: "ANTHROPIC_API_KEY",
});
const directive = findDirective(argv.join("\n")) ?? findDirective(readPrompt());
if (directive === undefined) say("The stand-in has nothing to do.");
for (const step of directive?.steps ?? []) await take(step);
if (result !== null) finish(result);

async function take(step) {
  const kind = Object.keys(step).find((key) => Object.hasOwn(actions, key));
  if (kind === undefined) {
    writeAll(2, `stand-in: unknown step ${JSON.stringify(step)}\n`);
    process.exit(2);
  }
  await actions[kind](step[kind], step);
}

function say(text) {
  emitMessage("assistant", [{ type: "text", text }]);
}

/** Shows a tool call and its result as Claude Code does. `act` returns `{ text, isError }`. */
function call(name, input, act) {
  const id = `toolu_standin${lines}`;
  emitMessage("assistant", [{ type: "tool_use", id, name, input }]);
  const { text, isError } = act();
  emitMessage("user", [{ tool_use_id: id, type: "tool_result", content: text, is_error: isError }]);
}

function shell(command) {
  call("Bash", { command }, () => {
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    const [stdio, maxBuffer] = [["ignore", "pipe", "pipe"], 64 * 1024 * 1024];
    const done = spawnSync("/bin/sh", ["-c", command], { encoding: "utf8", stdio, maxBuffer });
    const text = `${done.stdout ?? ""}${done.stderr ?? ""}`.trimEnd();
    if (done.status === 0) return { text, isError: false };
    return { text: `Exit code ${done.status ?? done.signal}\n${text}`, isError: true };
  });
}

/** Where the hub's tools are is told as Claude Code is told it. */
async function askHub(name, input) {
  const { mcpServers } = JSON.parse(valueOf("--mcp-config") ?? '{"mcpServers":{}}');
  if (mcpServers.hub === undefined) return "there are no tools of the hub";
  const asked = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } };
  const accept = "application/json, text/event-stream";
  const answer = await post(mcpServers.hub.url, { accept }, asked);
  const { result: told, error } = answer.startsWith("200 ") ? JSON.parse(answer.slice(4)) : {};
  return told?.content[0].text ?? (error === undefined ? answer : `${error.code} ${error.message}`);
}

/** Status and text, or why there is none. */
async function post(url, headers, body) {
  try {
    const all = { "content-type": "application/json", ...headers };
    const answer = await fetch(url, { method: "POST", headers: all, body: JSON.stringify(body) });
    return `${answer.status} ${await answer.text()}`;
  } catch (error) {
    return error.cause?.code ?? error.message;
  }
}

function quote(text) {
  return `'${String(text).replaceAll("'", `'\\''`)}'`;
}

function finish({ summary = "", nextSteps = [], answer, isError = false, costUsd = 0.0001 }) {
  const told = answer ?? { summary, nextSteps };
  emit({
    type: "result",
    subtype: isError ? "error_during_execution" : "success",
    is_error: isError,
    result: isError ? summary : JSON.stringify(told),
    ...(isError ? {} : { structured_output: told }),
    num_turns: Math.max(1, turns),
    duration_ms: Date.now() - startedAt,
    duration_api_ms: 0,
    total_cost_usd: costUsd,
    usage,
    modelUsage: {},
    permission_denials: [],
  });
  process.exitCode = isError ? 1 : 0;
}

function emitMessage(role, content) {
  const head = { id: `msg_standin${lines}`, type: "message", model: "stand-in", usage };
  const message = role === "assistant" ? { ...head, role, content } : { role, content };
  if (role === "assistant") turns += 1;
  emit({ type: role, message, parent_tool_use_id: null });
}

function emit(line) {
  lines += 1;
  const uuid = idOf(lines);
  writeAll(1, `${JSON.stringify({ ...line, session_id: sessionId, uuid })}\n`);
}

/** Looks like a UUID; a random one would take longer to make than the rest of a short run. */
function idOf(number) {
  return `00000000-0000-4000-8000-${sixDigits(process.pid)}${sixDigits(number)}`;
}

function sixDigits(number) {
  return String(number % 1e6).padStart(6, "0");
}

function writeAll(fd, data) {
  const bytes = Buffer.from(data);
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      // The reader shares a pipe that it made non-blocking.
      if (error.code !== "EAGAIN") throw error;
      sleep(5);
    }
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Tests count these lines to learn how often an agent was started in a sandbox. */
function recordStart() {
  const home = process.env.HOME;
  if (home === undefined) return;
  const at = new Date(startedAt).toISOString();
  fs.appendFileSync(`${home}/.stand-in-starts`, `${sessionId} ${process.pid} ${at}\n`);
}

function valueOf(flag) {
  const at = argv.indexOf(flag);
  if (at >= 0) return argv[at + 1];
  return argv.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

/** Everything until the end of standard input; of a stream of JSON messages the first, as that one begins the work. */
function readPrompt() {
  if (fs.fstatSync(0).isCharacterDevice()) return "";
  if (valueOf("--input-format") !== "stream-json") return fs.readFileSync(0, "utf8");
  const buffer = Buffer.alloc(65_536);
  let text = "";
  while (!text.includes("\n")) {
    const count = fs.readSync(0, buffer);
    if (count === 0) break;
    text += buffer.toString("latin1", 0, count);
  }
  return Buffer.from(text, "latin1").toString("utf8");
}

/** The first `stand-in: {…}` that parses; the prompt may also stand in a JSON string, with its quotes escaped. */
function findDirective(prompt) {
  for (const text of [prompt, prompt.replaceAll(/\\(["\\/])/g, "$1")]) {
    for (const { index, 0: label } of text.matchAll(/stand-in:\s*(?=\{)/g)) {
      const parsed = parseLeading(text.slice(index + label.length));
      if (parsed !== undefined) return parsed;
    }
  }
  return undefined;
}

function parseLeading(text) {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted && letter === "\\") at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === "{") depth += 1;
    else if (!quoted && letter === "}") depth -= 1;
    if (depth === 0) return parsedOrNothing(text.slice(0, at + 1));
  }
  return undefined;
}

function parsedOrNothing(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
