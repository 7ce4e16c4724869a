import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadEngineProxyConfig } from "./engine-proxy.ts";

test("the proxy does not believe the hub's file", async () => {
  const dir = await mkdtemp(join(tmpdir(), "proxy-"));
  try {
    await writeFile(
      join(dir, "hub.env"),
      "CLAUDE_CONTAINER_IMAGE=evil\nCLAUDE_HUB_PROXY_IMAGES=evil\nCLAUDE_CONTAINER_MEMORY_LIMIT=999g\n",
    );
    const config = loadEngineProxyConfig({
      flags: { CLAUDE_HUB_PROXY_LISTEN: "/run/x.sock" },
      env: { CLAUDE_HUB_DIR: dir, CLAUDE_HUB_PROXY_IMAGES: "other:1, third:2" },
    });
    expect(config).toMatchObject({
      listen: "/run/x.sock",
      images: ["claudecode:latest", "other:1", "third:2"],
      limits: { memoryBytes: 4 * 1_073_741_824 },
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});
