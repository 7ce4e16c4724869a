import { createClient } from "../src/client/client.ts";
import { followEvents } from "../src/client/follow.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import type { Screen } from "./screen.ts";
import type { DemoSession } from "./session.ts";

const IMPLEMENT =
  "Add a farewell function in src/farewell.js that takes leave by name, in the style of greet. Commit it.";
const TEST =
  "Cover the farewell function with tests in test/farewell.test.js, run all tests, and commit what you wrote.";

/** Two sessions, the second of which waits for the first and goes on from its branch; both watched live. */
export async function runPair(options: {
  hub: TestHub;
  repository: string;
  screen: Screen;
}): Promise<DemoSession[]> {
  const { hub, repository, screen } = options;
  const client = createClient({ url: hub.url, token: hub.secret });

  async function create(
    type: "implementation" | "testing",
    requirements: string,
    dependencies: string[],
  ): Promise<string> {
    const response = await client.sessions.$post({
      json: {
        type,
        project: { repository, requirements },
        dependencies,
        options: { autoStart: true },
      },
    });
    if (response.status !== 201)
      throw new Error(`create: ${response.status} ${await response.text()}`);
    return (await response.json()).id;
  }

  async function watch(name: string, id: string): Promise<DemoSession> {
    for await (const event of followEvents({ url: hub.url, token: hub.secret, sessionId: id }))
      screen.event(name, event);
    const param = { id };
    const [found, output] = [
      await client.sessions[":id"].$get({ param }),
      await client.sessions[":id"].output.$get({ param }),
    ];
    if (found.status !== 200 || output.status !== 200) throw new Error("the session is gone");
    const session = await found.json();
    const { usage } = session;
    return {
      name,
      id,
      status: session.status,
      error: session.error,
      workBranch: session.workBranch,
      output: await output.json(),
      tokens:
        usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      costUsd: usage.costUsd,
    };
  }

  const implementation = await create("implementation", IMPLEMENT, []);
  const testing = await create("testing", TEST, [implementation]);
  return await Promise.all([watch("implement", implementation), watch("test", testing)]);
}
