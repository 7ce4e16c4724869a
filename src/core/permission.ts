/** What may be done in a repository of a forge, from nothing to everything. */
export const PERMISSIONS = ["none", "read", "triage", "write", "maintain", "admin"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** The one that takes more. */
export function stricter(one: Permission, other: Permission): Permission {
  return PERMISSIONS.indexOf(one) >= PERMISSIONS.indexOf(other) ? one : other;
}
