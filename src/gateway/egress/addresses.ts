import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Why nothing may be sent to an address, or null when it may. */
export type AddressCheck = (address: string, port: number, isListed: boolean) => string | null;

/**
 * Only public addresses are reached, besides those that an administrator has listed. Nothing opens the hub's own ports.
 *
 * @param ranges Addresses and ranges that are open although they are not public.
 * @param hubPorts Where the hub itself, and its database, listen on this machine.
 */
export function createAddressCheck(options: {
  ranges: readonly string[];
  hubPorts(): ReadonlySet<number>;
  /** Addresses of this machine. */
  ownAddresses?(): string[];
}): AddressCheck {
  const ranges = options.ranges.map(parseRange);
  const ownAddresses = options.ownAddresses ?? machineAddresses;

  const isOpened = (address: Address) =>
    ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));

  return (text, port, isListed) => {
    const address = ipaddr.parse(text.split("%")[0] ?? "");
    const inner = embedded(address);
    const forms = inner === null ? [address] : [address, inner];
    const own = new Set(ownAddresses().map((one) => ipaddr.parse(one).toString()));
    const isOwn = forms.some((form) => isLocal(form) || own.has(form.toString()));
    if (isOwn && options.hubPorts().has(port)) return "is the hub itself";
    if (isListed) return null;
    const isFine = (form: Address) => isOpened(form) || (isPublic(form) && !isOwn);
    // Who opens a range of translated addresses has not opened what lies behind them.
    const mayPass = inner === null ? isFine(address) : isOpened(address) && isFine(inner);
    return mayPass ? null : "has an address that is not public";
  };
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  // All that is given out so far lies in 2000::/3; beyond it are forms of IPv4 that have no name any more.
  return address.kind() === "ipv4" || (address.toByteArray()[0] ?? 0) >> 5 === 1;
}

/** Addresses that lead back to this machine, whatever its interfaces are. */
function isLocal(address: Address): boolean {
  return ["loopback", "unspecified"].includes(address.range());
}

/** The IPv4 address that an IPv6 address stands for. Sources: RFC 4291, 6052, 8215, 3056, 4380, 6145. */
function embedded(address: Address): ipaddr.IPv4 | null {
  if (address.kind() === "ipv4") return null;
  const bytes = address.toByteArray();
  const at = (from: number) => new ipaddr.IPv4(bytes.slice(from, from + 4));
  switch (address.range()) {
    case "ipv4Mapped":
    case "rfc6145":
    case "rfc6052":
      return at(12);
    case "6to4":
      return at(2);
    case "teredo":
      return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff));
    default:
      // IPv4-compatible: twelve zeros, and more behind them than ::1 has.
      return bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12, 15).some(Boolean)
        ? at(12)
        : null;
  }
}

function parseRange(text: string): [Address, number] {
  if (text.includes("/")) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address.split("%")[0] ?? ""),
  );
}
