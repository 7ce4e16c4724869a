import { randomUUID } from "node:crypto";
import type { ContainerSettings } from "../../../src/runtimes/docker/settings.ts";

/** What tests say of containers, for a hub that no other one is taken for. */
export function testContainers(more: Partial<ContainerSettings> = {}): ContainerSettings {
  return {
    engine: "unix:///var/run/docker.sock",
    purpose: "sessions",
    image: "claudecode:latest",
    agentInImage: false,
    hubId: randomUUID(),
    cpuShares: 1_024,
    diskBytes: 1_073_741_824,
    ociRuntime: null,
    ...more,
  };
}
