import { NAMESPACES } from "../core/probe.ts";
import type { ProbeReport } from "../core/probe.ts";
import type { Secret } from "../core/secret.ts";
import { checkNode } from "./machine.ts";
import { failure, fine, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

const SHORTEST_SECRET = 8;

/** What is in force inside of a sandbox, by its own report. */
export function judgeInside(
  report: ProbeReport,
  {
    secrets,
    outside,
    mend,
  }: {
    secrets: readonly Secret[];
    /** Of a process of the machine. */
    outside: ProbeReport["namespaces"];
    mend: string;
  },
): Finding[] {
  return [
    judgeRights(report, outside, mend),
    judgeSeccomp(report),
    judgeFiles(report, mend),
    judgeNetwork(report, mend),
    judgeSecrets(report, secrets),
    judgeTools(report),
  ];
}

function judgeRights(
  { status, uid, namespaces }: ProbeReport,
  outside: ProbeReport["namespaces"],
  mend: string,
): Finding {
  const faults = [
    ...(uid === 0 ? ["it runs as root"] : []),
    ...["CapEff", "CapPrm", "CapBnd"].flatMap((name) =>
      /^0+$/.test(field(status, name)) ? [] : [`it has capabilities (${name})`],
    ),
    ...(field(status, "NoNewPrivs") === "1" ? [] : ["it may gain rights"]),
    ...NAMESPACES.filter((kind) => namespaces[kind] === outside[kind]).map(
      (kind) => `it shares the machine's ${kind} namespace`,
    ),
  ];
  if (faults.length > 0)
    return failure("rights", `a sandbox is too strong: ${faults.join(", ")}`, mend);
  return fine("rights", `user ${uid}, no capabilities, none to be gained, namespaces of its own`);
}

function judgeSeccomp({ status }: ProbeReport): Finding {
  if (field(status, "Seccomp") === "2") return fine("seccomp", "system calls are filtered");
  return warning(
    "seccomp",
    "system calls are not filtered, so more of the kernel can be attacked from inside",
    "use the runtime docker on a kernel with seccomp (CLAUDE_HUB_RUNTIME=docker)",
  );
}

function judgeFiles({ writable, engineSockets, mounts }: ProbeReport, mend: string): Finding {
  const faults = [
    ...(writable.length === 0 ? [] : [`it can write to ${writable.join(", ")}`]),
    ...(engineSockets.length === 0 ? [] : [`it sees the engine at ${engineSockets.join(", ")}`]),
  ];
  if (faults.length > 0)
    return failure("files", `a sandbox is too open: ${faults.join(", ")}`, mend);
  const count = mounts.split("\n").filter((line) => line !== "").length;
  return fine("files", `the system is read-only, no engine's socket, ${count} mounts`);
}

function judgeNetwork({ reached, interfaces }: ProbeReport, mend: string): Finding {
  const open = reached.filter(({ outcome }) => outcome === "connected").map(({ place }) => place);
  if (open.length > 0) return failure("network", `a sandbox reaches ${open.join(" and ")}`, mend);
  const tried = reached.map(({ place, outcome }) => `${place}: ${outcome}`).join(", ");
  const others = interfaces.filter((name) => name !== "lo");
  const has = others.length === 0 ? "no network" : `the interfaces ${others.join(", ")}`;
  return fine("network", `${has}; tried ${tried}`);
}

/** The secrets are compared out here: the sandbox is never told what to look for. */
function judgeSecrets({ secretsWouldBeIn }: ProbeReport, secrets: readonly Secret[]): Finding {
  const known = secrets
    .map((secret) => secret.reveal())
    .filter((text) => text.length >= SHORTEST_SECRET);
  if (known.some((text) => secretsWouldBeIn.includes(text)))
    return failure(
      "secrets",
      "a sandbox can read one of the hub's secrets",
      "stop the hub, change the secret, and report this as a fault of the hub",
    );
  return fine("secrets", `none of the hub's ${known.length} secrets can be read inside`);
}

function judgeTools({ node, git, agent }: ProbeReport): Finding {
  const nodeFinding = checkNode(node);
  if (nodeFinding.state !== "ok") return { ...nodeFinding, check: "image", mend: "npm run image" };
  if (git === null) return failure("image", "there is no git inside", "npm run image");
  if (agent === null)
    return failure(
      "image",
      "the agent cannot be run inside",
      "npm run image, or set CLAUDE_CODE_PATH",
    );
  return fine("image", `inside: Node.js ${node}, ${git}, ${agent}`);
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
}
