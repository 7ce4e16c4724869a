#!/usr/bin/env node
// Stands in for `claude -p --output-format stream-json --verbose`. What it does is told by a directive in the prompt; see
// stand-in.ts for the steps. Plain JavaScript and synchronous, because it must start fast and may be run by any Node.js.
import * as fs from "node:fs";
import { dirname } from "node:path";

const argv = process.argv.slice(2);
const startedAt = Date.now();
const model = valueOf("--model") ?? "stand-in";
const sessionId = valueOf("--session-id") ?? valueOf("--resume") ?? idOf(0);
const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 0 };
let lines = 0;
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
    let [written, problem] = [0, ""];
    try {
      while (written < bytes)
        written += fs.writeSync(file, piece, 0, Math.min(piece.length, bytes - written));
    } catch (error) {
      problem = `, then ${error.code}`;
    }
    fs.closeSync(file);
    say(`wrote ${written} bytes to the disk${problem}`);
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
    const asked = { model, max_tokens, messages: [{ role: "user", content: text }] };
    for (let at = 0; at < calls; at += 1) {
      const answer = await post(url, key, asked);
      const [status] = /^\d+(?= )/.exec(answer) ?? [];
      if (status === undefined) say(`model could not be asked: ${answer}`);
      else say(`model answered ${status}: ${answer.slice(4, 1_004)}`);
    }
  },
  async tool({ name, input: given = {} }) {
    const input = JSON.parse(JSON.stringify(given).replaceAll(/"\{\{(\w+):?(\d*)\}\}"/g, known));
    const text = await askHub(name, input);
    if (/^(create|retry)_session$/.test(name)) made.push(...idsIn(text));
    call(`mcp__hub__${name}`, input, () => ({ text, isError: false }));
  },
  result: (value) => (result = value),
  hear: () => hear(nextMessage()),
};

const made = []; // Sessions that it has asked the hub for.
const idsIn = (text) => /^\{"session":\{"id":"([^"]+)"/.exec(text)?.slice(1) ?? [];
const known = (_, of, at) => JSON.stringify(of === "own" ? sessionId : at ? made[at] : made);
const takesMessages = valueOf("--input-format") === "stream-json";
/** Of standard input. */
let unread = Buffer.alloc(0);
if (argv.includes("--version")) {
  writeAll(1, "0.0.0 (stand-in)\n");
  process.exit(0);
}
recordStart();
const tools = ["Bash", "StructuredOutput", "Write"];
emit({ type: "system", subtype: "init", cwd: process.cwd(), tools, model });
const directive = findDirective(argv.join("\n")) ?? findDirective(readPrompt());
if (directive === undefined) say("The stand-in has nothing to do.");
for (const step of directive?.steps ?? []) await take(step);
if (result !== null) finish(result);
for (let more = nextMessage(); more !== null; more = nextMessage()) {
  await hear(more);
  finish(result);
}

async function take(step) {
  const kind = Object.keys(step).find((key) => Object.hasOwn(actions, key));
  if (kind === undefined) {
    writeAll(2, `stand-in: unknown step ${JSON.stringify(step)}\n`);
    process.exit(2);
  }
  await actions[kind](step[kind], step);
}

/** What a message tells it to do, it does in the turn that it is in; an interruption has nothing to end. */
async function hear({ type, uuid, message, request_id }) {
  if (type === "control_request") {
    emit({ type: "control_response", response: { subtype: "success", request_id, response: {} } });
    result = { summary: "Interrupted.", isError: true };
    return;
  }
  emit({ type: "user", message, uuid, isReplay: true });
  result = { summary: "Heard.", nextSteps: [] };
  say(`heard: ${message.content}`);
  for (const step of findDirective(message.content)?.steps ?? []) await take(step);
}

function say(text) {
  emitMessage("assistant", [{ type: "text", text }]);
}

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

async function askHub(name, input) {
  const { mcpServers } = JSON.parse(valueOf("--mcp-config") ?? '{"mcpServers":{}}');
  if (mcpServers.hub === undefined) return "there are no tools of the hub";
  const asked = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: input } };
  const accept = "application/json, text/event-stream";
  const answer = await post(mcpServers.hub.url, { accept, connection: "close" }, asked);
  // Of a stream, the last event is the answer.
  const json = answer.replace(/^200 (?:[^]*\ndata: )?/, "");
  const { result: told, error } = json === answer ? {} : JSON.parse(json);
  return told?.content[0].text ?? (error === undefined ? answer : `${error.code} ${error.message}`);
}

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
    num_turns: Math.max(1, lines),
    duration_ms: Date.now() - startedAt,
    total_cost_usd: costUsd,
    usage,
    permission_denials: [],
  });
  process.exitCode = isError ? 1 : 0;
}

function emitMessage(role, content) {
  const head = { id: `msg_standin${lines}`, type: "message", model: "stand-in", usage };
  const message = role === "assistant" ? { ...head, role, content } : { role, content };
  emit({ type: role, message, parent_tool_use_id: null });
}

function emit(line) {
  lines += 1;
  const uuid = idOf(lines);
  writeAll(1, `${JSON.stringify({ session_id: sessionId, uuid, ...line })}\n`);
}

function idOf(number) {
  const [place, count] = [process.pid, number].map((one) => String(one % 1e6).padStart(6, "0"));
  return `00000000-0000-4000-8000-${place}${count}`;
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

function recordStart() {
  const { HOME: home } = process.env;
  const line = `${sessionId} ${process.pid} ${new Date(startedAt).toISOString()}\n`;
  if (home !== undefined) fs.appendFileSync(`${home}/.stand-in-starts`, line);
}

function valueOf(flag) {
  const at = argv.indexOf(flag);
  if (at >= 0) return argv[at + 1];
  return argv.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

/** Everything until the end of standard input; of a stream of JSON messages the first, as that one begins the work. */
function readPrompt() {
  if (takesMessages) return nextLine();
  return fs.fstatSync(0).isCharacterDevice() ? "" : fs.readFileSync(0, "utf8");
}

/** Waits for it; null: there is none any more. */
function nextMessage() {
  const text = takesMessages && result !== null ? nextLine() : "";
  return text === "" ? null : JSON.parse(text);
}

function nextLine() {
  const piece = Buffer.alloc(65_536);
  for (let count = 1; count > 0 && !unread.includes("\n");) {
    count = fs.readSync(0, piece);
    unread = Buffer.concat([unread, piece.subarray(0, count)]);
  }
  const end = unread.indexOf("\n") + 1 || unread.length;
  const text = unread.subarray(0, end).toString();
  unread = unread.subarray(end);
  return text;
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

/** What a text begins with, if that is JSON; where it ends is told by the error. */
function parseLeading(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = Number(/after JSON at position (\d+)/.exec(error.message)?.[1] ?? 0);
    return end > 0 ? parseLeading(text.slice(0, end)) : undefined;
  }
}
