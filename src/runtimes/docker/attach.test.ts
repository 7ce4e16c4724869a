import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { attachInput } from "./attach.ts";

/** What Podman answers while it tidies up after what has ended. */
const IMPROPER = JSON.stringify({
  cause: "container state improper",
  message: "can only attach to created or running containers: container state improper",
  response: 500,
});

test("a container of Podman's that is not tidied up yet is attached to when it is; Docker's refusal is one", async () => {
  await using temp = await createTempDir("attach");
  const socketPath = join(temp.path, "engine.sock");
  let refusals = 3;
  let asked = 0;
  const server = createServer(
    (_, response) => void response.writeHead(404).end("no such container"),
  );
  server.on("upgrade", (_request, socket) => {
    asked += 1;
    refusals -= 1;
    socket.end(
      refusals >= 0
        ? `HTTP/1.1 500 Internal Server Error\r\ncontent-length: ${IMPROPER.length}\r\n\r\n${IMPROPER}`
        : "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n",
    );
  });
  server.listen(socketPath);
  await once(server, "listening");
  try {
    const options = { timeoutMs: 5_000, isPodman: true };
    (await attachInput(socketPath, "one", options)).destroy();
    expect(asked).toBe(4);
    refusals = 1;
    const refused = attachInput(socketPath, "one", { ...options, isPodman: false });
    await expect(refused).rejects.toMatchObject({ statusCode: 500 });
    expect(asked).toBe(5);
  } finally {
    server.close();
  }
});
