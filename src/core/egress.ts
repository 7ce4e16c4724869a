import { domainToASCII } from "node:url";
import ipaddr from "ipaddr.js";
import { z } from "zod";

/** Where a sandbox wants to go, in its one canonical spelling. */
export interface Target {
  /** Lower-case ASCII without a dot at the end; an IPv6 address without brackets. */
  host: string;
  /** The host is an address rather than a name. */
  isAddress: boolean;
  port: number;
}

/** Why a text names no place to go to; follows "the host". */
export interface Fault {
  fault: string;
}

const MAX_NAME = 253;
/** A dotted name whose last part looks like this is read as an IPv4 address by half of all resolvers. Source: WHATWG URL. */
const NUMERIC = /^(\d+|0x[\da-f]*)$/;
const LABEL = /^(?!-)[a-z\d_-]{1,63}(?<!-)$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Reads `host:port`; without a port it is the one given here, and a fault if that is null. */
export function parseTarget(authority: string, defaultPort: number | null): Target | Fault {
  if (authority.length > 4 * MAX_NAME) return { fault: "is too long" };
  // oxlint-disable-next-line no-control-regex -- control characters are what is being refused
  if (/[\u0000-\u0020\u007f-\u00a0]/.test(authority))
    return { fault: "holds a control character or a blank" };
  const [, name = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::([1-9]\d{0,4}))?$/.exec(authority) ?? [];
  const port = portText === undefined ? defaultPort : Number(portText);
  if (name === "") return { fault: "is not written as a name and a port" };
  if (port === null) return { fault: "has no port" };
  if (port > 65_535) return { fault: "has a port that cannot be" };
  const host = name.startsWith("[") ? parseIpv6(name.slice(1, -1)) : parseName(name);
  return "fault" in host ? host : { ...host, port };
}

function parseIpv6(text: string): Omit<Target, "port"> | Fault {
  // Zones name interfaces of the hub's machine.
  if (!/^[\da-f:.]+$/i.test(text) || !ipaddr.IPv6.isValid(text))
    return { fault: "is no IPv6 address" };
  return { host: ipaddr.IPv6.parse(text).toString(), isAddress: true };
}

function parseName(text: string): Omit<Target, "port"> | Fault {
  if (IPV4.test(text)) return { host: text, isAddress: true };
  if (/[%@\\/?#:[\]<>^|]/.test(text)) return { fault: "holds a character that no name has" };
  const host = domainToASCII(text.replace(/\.$/, "")).toLowerCase();
  if (host === "") return { fault: "is no name" };
  if (host.length > MAX_NAME) return { fault: "is too long" };
  const labels = host.split(".");
  if (NUMERIC.test(labels.at(-1) ?? "")) return { fault: "is an address in an unusual spelling" };
  if (!labels.every((label) => LABEL.test(label))) return { fault: "is no name" };
  return { host, isAddress: false };
}

/** One entry of the allow-list. */
export interface EgressRule {
  host: string;
  isAddress: boolean;
  /** Every name below `host` is meant, and not `host` itself. */
  subdomains: boolean;
  /** Null: the ports of the web. */
  port: number | null;
}

const WEB_PORTS = [443, 80];

/** `example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, each with or without a port. */
export function parseRule(text: string): EgressRule | Fault {
  const subdomains = text.startsWith("*.");
  const hasPort = /:\d+$/.test(text.replace(/^\[[^\]]*\]/, ""));
  const target = parseTarget(subdomains ? text.slice(2) : text, 443);
  if ("fault" in target) return target;
  if (subdomains && (target.isAddress || !target.host.includes(".")))
    return { fault: "is too much to stand behind a star" };
  const { host, isAddress, port } = target;
  return { host, isAddress, subdomains, port: hasPort ? port : null };
}

/** As an administrator would write it. */
export function ruleText({ host, isAddress, subdomains, port }: EgressRule): string {
  const name = isAddress && host.includes(":") ? `[${host}]` : host;
  return `${subdomains ? "*." : ""}${name}${port === null ? "" : `:${port}`}`;
}

export const EgressRule = z.string().transform((text, context): EgressRule => {
  const rule = parseRule(text);
  if (!("fault" in rule)) return rule;
  context.addIssue({ code: "custom", message: `${text.slice(0, 100)} ${rule.fault}` });
  return z.NEVER;
});

export function isAllowed(rules: readonly EgressRule[], target: Target): boolean {
  return rules.some(
    ({ host, isAddress, subdomains, port }) =>
      (port === null ? WEB_PORTS.includes(target.port) : port === target.port) &&
      isAddress === target.isAddress &&
      (subdomains ? target.host.endsWith(`.${host}`) : target.host === host),
  );
}

/** Addresses that an administrator opens although they are not public: one, or a range as `10.1.0.0/16`. */
export const AddressRange = z
  .string()
  .refine((text) => ipaddr.isValidCIDR(text) || isCanonicalAddress(text), "is no range");

/** `127.1` is an address for ipaddr.js, too. */
function isCanonicalAddress(text: string): boolean {
  return IPV4.test(text) || ipaddr.IPv6.isValid(text);
}

/** What stands for a list of hosts that the hub finds out by itself. */
export const EGRESS_PRESETS = ["apt", "cargo", "forge", "go", "npm", "pip"] as const;
export type EgressPreset = (typeof EGRESS_PRESETS)[number];
