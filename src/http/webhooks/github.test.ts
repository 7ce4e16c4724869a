import { createHmac } from "node:crypto";
import { request } from "node:http";
import { expect, test } from "vitest";
import { GITHUB_SECRET, startHttp } from "../../../test/kit/hub/http.ts";
import { waitFor } from "../../../test/kit/wait.ts";

const SIGNATURE = `sha256=${"0".repeat(64)}`;

/** Begins to send so much, and does not go on. */
function beginToSend(url: string, bytes: number) {
  const sending = request(`${url}/api/webhooks/github`, {
    method: "POST",
    headers: { "content-length": bytes, "x-hub-signature-256": SIGNATURE },
  });
  // It is cut off at the end.
  sending.on("error", () => undefined);
  sending.write("{");
  return sending;
}

test("of large bodies that nobody has vouched for, no more are taken in at once than there is room for", async () => {
  await using http = await startHttp();
  const statuses: (number | undefined)[] = [];
  const all = Array.from({ length: 9 }, () =>
    beginToSend(http.url, 20 * 1024 * 1024).on("response", ({ statusCode }) =>
      statuses.push(statusCode),
    ),
  );
  await waitFor(() => statuses.length > 0);
  expect(statuses).toEqual([503]);
  const body = JSON.stringify({ zen: "Small." });
  const signature = createHmac("sha256", GITHUB_SECRET).update(body).digest("hex");
  const small = await http.fetch("/api/webhooks/github", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "ping",
      "x-github-delivery": crypto.randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body,
  });
  expect(small.status).toBe(200);
  for (const one of all) one.destroy();
});
