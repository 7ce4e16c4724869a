// A hub that is nothing but a runtime, in a process of its own: to be killed, doubled, or run as another user. Takes
// `{id, method, spec?, name?}` as JSON lines, answers `{id, value}` or `{id, error}`.
import { createInterface } from "node:readline";
import { createRuntime } from "../../../src/runtimes/registry.ts";
import { HubRequest, HubSettings } from "./runtime-messages.ts";

const settings = HubSettings.parse(JSON.parse(process.argv[2] ?? ""));
const runtime = await createRuntime(settings.runtime, settings.host);

createInterface({ input: process.stdin }).on("line", (line) => {
  void reply(HubRequest.parse(JSON.parse(line)));
});

async function reply(request: HubRequest): Promise<void> {
  let answer: object;
  try {
    answer = { id: request.id, value: (await perform(request)) ?? null };
  } catch (error) {
    answer = { id: request.id, error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function perform(request: HubRequest): Promise<unknown> {
  switch (request.method) {
    case "ensure":
      return runtime.ensure(request.spec);
    case "check":
    case "list":
      return runtime[request.method]();
    case "inspect":
    case "stop":
    case "remove":
    case "lastWords":
      return runtime[request.method](request.name);
    default:
      return request satisfies never;
  }
}
