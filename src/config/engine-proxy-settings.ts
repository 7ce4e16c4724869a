import { from, names } from "./setting.ts";
import { z } from "zod";

/** What `claude-hub engine-proxy` needs to know beside the limits of containers. */
export const ENGINE_PROXY_SETTINGS = {
  proxyListen: from(
    "CLAUDE_HUB_PROXY_LISTEN",
    "Where `claude-hub engine-proxy` listens; `DOCKER_HOST` of the hub names it.",
    z.string().regex(/^\/.{1,102}$/),
    { fallback: "/run/claude-hub-engine/engine.sock", expected: "the whole path of a socket" },
  ),
  proxyEngine: from(
    "CLAUDE_HUB_PROXY_ENGINE",
    "The container engine's own socket, which the proxy alone may see.",
    z.string().regex(/^\/.{1,102}$/),
    { fallback: "/var/run/docker.sock", expected: "the whole path of a socket" },
  ),
  proxyImages: names(
    "CLAUDE_HUB_PROXY_IMAGES",
    "Images that the proxy allows beside `CLAUDE_CONTAINER_IMAGE`.",
    { fallbackText: "none" },
  ),
  runnerPath: from(
    "CLAUDE_HUB_RUNNER_PATH",
    "The bundled runner, where the container engine sees it; for hubs that run in a container themselves.",
    z.string().regex(/^\/.{1,4095}$/),
    { fallbackText: "beside the hub", expected: "a whole path" },
  ),
};
