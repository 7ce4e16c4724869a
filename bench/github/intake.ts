import { createHmac, randomUUID } from "node:crypto";
import { standInNoopPath } from "../../test/kit/agent/stand-in.ts";
import { issueComment } from "../api.ts";
import { load } from "../load.ts";
import type { Figure } from "../table.ts";
import { openBench } from "./house.ts";

/** Whether intake suffers when somebody works off what is taken in. */
export async function measureIntake(): Promise<Figure[]> {
  await using bench = await openBench({ agentPath: standInNoopPath, repositories: 1 });
  const { hub, secret } = bench;
  const payload = await issueComment();
  const signature = createHmac("sha256", secret).update(payload).digest("hex");
  const send = async (event: string) =>
    await load({
      url: `${hub.url}/api/webhooks/github`,
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-hub-signature-256": `sha256=${signature}`,
      },
      body: () => payload,
      eachHeaders: () => ({ "x-github-delivery": randomUUID() }),
    });
  const idle = await send("ping");
  const busy = await send("issue_comment");
  return [
    {
      what: "webhook intake of comments while triggers read each of them from GitHub again",
      value: busy.perSecond,
      unit: "/s",
      reference: { name: "pings, of which nothing is read", value: idle.perSecond },
      target: { value: 3_600, atMost: false },
    },
  ];
}
