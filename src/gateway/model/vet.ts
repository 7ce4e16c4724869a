/**
 * What a request may not ask of the provider unless the hub is configured so: to fetch an address, to search, to run
 * code, to speak to other servers, or to use files and containers that outlive the request. Each is a way past the
 * egress door. Tools of unknown kinds are refused as well; new ones come every few months.
 */

/** Run by the agent itself, or (the search of tools) within the request alone. Their versions are dates. */
const HARMLESS_TOOL =
  /^(bash|text_editor|computer|memory|tool_search_tool|tool_search_tool_(regex|bm25))_\d{8}$/;
const DATED = /^([a-z][a-z0-9_]*?)_\d{8}$/;
/** What stands below these is the agent's own data, in forms of its own; or (edits of the context) dated but no tool. */
const OPAQUE = new Set([
  "input",
  "input_schema",
  "metadata",
  "context_management",
  "output_config",
  "mcp_servers",
]);
const GUARDED = new Set(["tools", "mcp_servers", "container", "messages", "system"]);

/** @returns Which of the provider's services the request asks for without being allowed to; null: none. */
export function serviceAskedFor(body: object, allowed: readonly string[]): string | null {
  for (const name of [...servicesOf(body), ...servicesWithin(body)])
    if (!allowed.includes(name)) return name;
  return null;
}

/** Only at the top of a request. */
function* servicesOf(body: object): Generator<string> {
  for (const [key, value] of Object.entries(body)) {
    // Some readers of JSON do not mind the case; then both spellings would be there, and ours the one not meant.
    if (!GUARDED.has(key) && GUARDED.has(key.toLowerCase())) yield "unknown";
    if (key === "mcp_servers" && !isEmpty(value)) yield "mcp";
    if (key === "container" && value !== null) yield "containers";
  }
}

/** Wherever a tool or a piece of content may stand: there are several places, and more with every version. */
function* servicesWithin(body: object): Generator<string> {
  const waiting: object[] = [body];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!Array.isArray(next)) yield* servicesOfOne(next);
    for (const [key, value] of Object.entries(next)) {
      if (key === "tools" && Array.isArray(value)) yield* undatedTools(value);
      if (typeof value === "object" && value !== null && !OPAQUE.has(key)) waiting.push(value);
    }
  }
}

function* servicesOfOne(part: object): Generator<string> {
  if ("file_id" in part) yield "files";
  const type: unknown = "type" in part ? part.type : undefined;
  if (typeof type !== "string" || HARMLESS_TOOL.test(type)) return;
  if (type === "url") yield "urls";
  else if (type === "mcp_toolset") yield "mcp";
  else {
    const tool = DATED.exec(type)?.[1];
    if (tool !== undefined) yield tool;
  }
}

/** None is known; one that comes up runs elsewhere until the opposite is known. */
function* undatedTools(tools: unknown[]): Generator<string> {
  for (const tool of tools) {
    if (typeof tool !== "object" || tool === null || !("type" in tool)) continue;
    const { type } = tool;
    if (type === "custom" || type === null) continue;
    if (typeof type !== "string") yield "unknown";
    else if (!DATED.test(type) && type !== "mcp_toolset") yield type;
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
