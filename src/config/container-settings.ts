import { z } from "zod";
import { from, names, size, text, whole } from "./setting.ts";

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
  allowedImages: names(
    "CLAUDE_HUB_ALLOWED_IMAGES",
    "Images that repositories may name in `.github/claude-hub.yml`.",
    { fallbackText: "none" },
  ),
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
  memoryMax: size("CLAUDE_CONTAINER_MEMORY_MAX", "Most memory that one session may ask for.", {
    fallbackText: "what every session gets",
  }),
  cpuSharesMax: whole(
    "CLAUDE_CONTAINER_CPU_SHARES_MAX",
    "Greatest weight for the processors that one session may ask for.",
    { min: 2, max: 262_144, fallbackText: "what every session gets" },
  ),
  processMax: whole("CLAUDE_CONTAINER_PIDS_MAX", "Most processes that one session may ask for.", {
    min: 16,
    max: 1_000_000,
    fallbackText: "what every session gets",
  }),
  diskLimit: size(
    "CLAUDE_CONTAINER_DISK_LIMIT",
    "What one session container may keep on disk: a quota where the engine has them, else measured from time to time.",
    { fallback: "20g" },
  ),
};
