import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import pino from "pino";
import { expect } from "vitest";
import { z } from "zod";
import { containerOptions } from "../../../src/runtimes/docker/confinement.ts";
import { OWNER, ownerOfHub } from "../../../src/runtimes/docker/labels.ts";
import { openEngineProxy } from "./engine-proxy.ts";
import type { TestEngine } from "./engine.ts";
import { createRuntimePlace } from "./runtime-place.ts";

const LIMITS = { memoryBytes: 268_435_456, processes: 64 };

/** A hub that has been taken over: it has the proxy's socket, and says what it likes. */
export async function openAttack(
  engine: TestEngine,
  command = ["node", "-e", "setInterval(() => {}, 1000)"],
) {
  const place = await createRuntimePlace({ engine });
  const logged: unknown[] = [];
  const log = pino({ level: "warn" }, { write: (line) => logged.push(JSON.parse(line)) });
  const proxy = await openEngineProxy(engine, place.host, log);
  const owner = ownerOfHub(place.host.containers.hubId);
  const { name } = place.spec();
  const labels = { [OWNER]: owner };
  const body = JSON.stringify(
    containerOptions(place.host, LIMITS, {
      command,
      user: "agent",
      labels,
      volume: name,
      imageName: place.host.containers.image,
      marks: {},
    }),
  );

  const { socketPath } = proxy;
  return {
    socketPath,
    /** What the proxy wrote down. */
    logged,
    name,
    owner,
    body,
    fresh: () => z.record(z.string(), z.unknown()).parse(JSON.parse(body)),
    async ask(method: string, path: string, sent?: string | Buffer, headers = {}) {
      return await new Promise<{ status: number; said: string }>((resolve, reject) => {
        const asked = request({ socketPath, method, path, headers, agent: false }, (answer) => {
          text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, said }), reject);
        });
        // One that is refused in the middle of a body is cut off.
        asked.on("error", reject);
        asked.end(sent);
      });
    },
    /** Bytes as they are, and all that comes back until the other side ends. */
    async raw(bytes: string): Promise<string> {
      const socket = connect({ path: socketPath });
      socket.write(bytes);
      return await text(socket);
    },
    async make(): Promise<string> {
      await engine.makeVolume(name, owner);
      const { status, said } = await this.ask("POST", `/containers/create?name=${name}`, body);
      expect([status, said]).toEqual([201, expect.stringContaining("Id")]);
      return z.object({ Id: z.string() }).parse(JSON.parse(said)).Id;
    },
    async [Symbol.asyncDispose]() {
      await engine.removeAllOf(owner);
      await proxy[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}
