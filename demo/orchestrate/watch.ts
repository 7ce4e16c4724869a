import { setTimeout as pause } from "node:timers/promises";
import { coordinate, orchestrationOf } from "../../test/kit/hub/coordination.ts";
import type { OrchestrationView } from "../../test/kit/hub/coordination.ts";
import type { TestHub } from "../../test/kit/hub/hub.ts";

const REQUEST =
  "Greet in French and in German as well, with tests, and say so in the README. It is done when all tests pass.";
const LOOK_MS = 200;

/** Asks for it, and shows how its graph stands until it has ended. */
export async function watchRequest(
  hub: TestHub,
  repository: string,
  show: (view: OrchestrationView) => void,
): Promise<OrchestrationView> {
  const id = await coordinate(hub, REQUEST, { repository });
  for (;;) {
    const view = await orchestrationOf(hub, id);
    show(view);
    if (["completed", "failed", "cancelled"].includes(view.state)) return view;
    await pause(LOOK_MS);
  }
}
