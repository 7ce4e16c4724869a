const SYSTEM = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** PATH inside: the machine's programs first, then the hub's own Node.js, so that there is one in any case. */
export function searchPath(nodeDir: string): string {
  return [...new Set([...SYSTEM, nodeDir])].join(":");
}
