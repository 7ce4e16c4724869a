import { z } from "zod";
import { from, size, text, whole } from "./setting.ts";

/** What the runtime `docker` needs to know; limits that all runtimes share are with the sessions. */
export const CONTAINER_SETTINGS = {
  // Text, because other programs' engines may be named here, which only the runtime that uses it can judge.
  containerEngine: text(
    "DOCKER_HOST",
    "Unix socket of Docker Engine, or of Podman's service. Only used by the runtime `docker`.",
    { fallback: "unix:///var/run/docker.sock" },
  ),
  containerImage: text("CLAUDE_CONTAINER_IMAGE", "Image of session containers.", {
    fallback: "claudecode:latest",
  }),
  containerRuntime: from(
    "CLAUDE_CONTAINER_RUNTIME",
    "OCI runtime of session containers, as the engine names it: `runsc` for gVisor, `kata`.",
    z.string().regex(/^[\w./-]{1,200}$/),
    { expected: "the name of an OCI runtime", fallbackText: "the engine's own" },
  ),
  cpuShares: whole(
    "CLAUDE_CONTAINER_CPU_SHARES",
    "Weight of one session container against others for the processors.",
    { min: 2, max: 262_144, fallback: "1024" },
  ),
  diskLimit: size(
    "CLAUDE_CONTAINER_DISK_LIMIT",
    "What one session container may keep on disk: a quota where the engine has them, else measured from time to time.",
    { fallback: "20g" },
  ),
};
