import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../../test/kit/hub/session-life.ts";
import { NewSession } from "../../core/session.ts";

const serverUrl = inject("databaseServer");
const LEFT_OVER = ["claude-session-00000001", "claude-session-00000002"];

test("a session that cannot be seen to, and a sandbox that cannot be removed, keep no others waiting", async () => {
  const woken: string[] = [];
  const removed: string[] = [];
  await using house = await openSessionLife({
    serverUrl,
    engine: {
      async wake(id) {
        woken.push(id);
        if (woken.length === 1) throw new Error("the engine cannot");
      },
    },
    runtime: {
      list: async () => LEFT_OVER.map((name) => ({ name, state: "running" })),
      async remove(name) {
        removed.push(name);
        if (removed.length === 1) throw new Error("the runtime cannot");
      },
    },
  });
  const { sessions, upkeep } = house.life;
  const project = { repository: "octo/greeter", requirements: "Do it." };
  const ids: string[] = [];
  for (let made = 0; made < 2; made += 1) {
    const { id } = await sessions.create(NewSession.parse({ type: "implementation", project }));
    await sessions.start(id);
    await sessions.cancel(id);
    ids.push(id);
  }
  expect(await house.running()).toEqual(ids);
  await upkeep.reconcile();
  expect(woken).toEqual(ids);
  expect(removed).toEqual(LEFT_OVER);
});
