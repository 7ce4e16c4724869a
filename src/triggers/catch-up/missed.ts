import type { Sent } from "../../forge/forge.ts";

/** The first try of each delivery that no try has brought here, the oldest first. */
export function missedOf(sent: readonly Sent[], known: ReadonlySet<string>): Sent[] {
  const tries = Map.groupBy(sent, ({ deliveryId }) => deliveryId);
  return [...tries.values()]
    .filter((all) => all.every(({ state }) => state === "failed"))
    .flatMap((all) => all.toSorted(earlier).slice(0, 1))
    .filter(({ deliveryId }) => !known.has(deliveryId))
    .toSorted(earlier);
}

function earlier(one: Sent, other: Sent): number {
  const apart = one.deliveredAt.getTime() - other.deliveredAt.getTime();
  return apart === 0 ? Number(one.id) - Number(other.id) : apart;
}
