import { isIP } from "node:net";
import { z } from "zod";
import { AddressRange, EGRESS_PRESETS, EgressRule } from "../core/egress.ts";
import { from, listOf, names, size, whole } from "./setting.ts";

const dnsServer = z
  .string()
  .refine((text) => isIP(text.replace(/^(?:\[(.+)\]|([\d.]+))(?::\d{1,5})?$/, "$1$2")) !== 0);

/** Where sandboxes may connect to beyond the hub's own doors. */
export const EGRESS_SETTINGS = {
  egressHosts: from(
    "CLAUDE_HUB_EGRESS_HOSTS",
    "Hosts that sandboxes may reach; without a port, 443 and 80. See `docs/egress.md`.",
    listOf(EgressRule),
    {
      expected: "a list with commas of names (example.com, *.example.com, example.com:8443)",
      fallback: "",
    },
  ),
  egressPresets: from(
    "CLAUDE_HUB_EGRESS_PRESETS",
    "Hosts of a package tool, as that tool is configured on the hub's machine, and `forge` for raw files of the forge.",
    listOf(z.enum(EGRESS_PRESETS)),
    { expected: `a list with commas of ${EGRESS_PRESETS.join(", ")}`, fallback: "" },
  ),
  egressRepositoryPresets: from(
    "CLAUDE_HUB_EGRESS_REPOSITORY_PRESETS",
    "Presets that repositories may choose for themselves by `egressPresets` in `.github/claude-hub.yml`.",
    listOf(z.enum(EGRESS_PRESETS)),
    { expected: `a list with commas of ${EGRESS_PRESETS.join(", ")}`, fallback: "" },
  ),
  egressAddresses: from(
    "CLAUDE_HUB_EGRESS_ADDRESSES",
    "Addresses that allowed names may resolve to although they are not public; never the hub's own ports.",
    listOf(AddressRange),
    {
      expected: "a list with commas of addresses and ranges (10.1.2.3, 10.1.0.0/16)",
      fallback: "",
    },
  ),
  egressRepositories: names(
    "CLAUDE_HUB_EGRESS_REPOSITORIES",
    "Repositories whose `.github/claude-hub.yml` on the default branch may add hosts: `owner/name`, `owner/*` or `*`.",
    { fallback: "" },
  ),
  egressDns: from(
    "CLAUDE_HUB_EGRESS_DNS",
    "DNS servers that are asked for names of allowed hosts.",
    listOf(dnsServer),
    {
      expected: "a list with commas of addresses, each with or without a port",
      fallback: "",
      fallbackText: "the machine's own",
    },
  ),
  egressConnections: whole(
    "CLAUDE_HUB_EGRESS_CONNECTIONS",
    "Connections of all sandboxes to the outside at the same time.",
    { min: 1, max: 100_000, fallback: "512" },
  ),
  egressSessionConnections: whole(
    "CLAUDE_HUB_EGRESS_SESSION_CONNECTIONS",
    "Of these, of one session.",
    { min: 1, max: 10_000, fallback: "64" },
  ),
  egressReceiveBytes: size(
    "CLAUDE_HUB_EGRESS_RECEIVE_BYTES",
    "What one session may receive from the outside in all; counted anew when the hub was restarted.",
    { fallback: "1g" },
  ),
  egressSendBytes: size(
    "CLAUDE_HUB_EGRESS_SEND_BYTES",
    "What one session may send to the outside in all; counted anew when the hub was restarted.",
    { fallback: "64m" },
  ),
  egressConnectMs: whole(
    "CLAUDE_HUB_EGRESS_CONNECT_MS",
    "Time to find an outside host's address and connect to it (ms).",
    { min: 100, max: 120_000, fallback: "10000" },
  ),
  egressIdleMs: whole(
    "CLAUDE_HUB_EGRESS_IDLE_MS",
    "Silence after which a connection to the outside is cut (ms).",
    { min: 100, max: 86_400_000, fallback: "300000" },
  ),
  egressHeaderBytes: size(
    "CLAUDE_HUB_EGRESS_HEADER_BYTES",
    "Largest head of a plain HTTP request or answer that passes.",
    { fallback: "16k" },
  ),
  sessionConnections: whole(
    "CLAUDE_HUB_SESSION_CONNECTIONS",
    "Connections to the hub's doors that one sandbox may hold.",
    { min: 16, max: 4_096, fallback: "256" },
  ),
};
