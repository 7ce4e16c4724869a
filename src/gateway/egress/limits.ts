export interface EgressLimits {
  /** Connections to the outside at the same time: of all sandboxes, and of one session. */
  connections: number;
  sessionConnections: number;
  /** What one session may receive and send in all, for the life of the hub. */
  receiveBytes: number;
  sendBytes: number;
  /** For the address of a host and the connection to it together. */
  connectMs: number;
  /** Silence in both directions. */
  idleMs: number;
  /** Head of one plain HTTP request, and of its answer. */
  headerBytes: number;
  /** How often it is looked whether sessions with open connections have ended. */
  recheckMs: number;
}

export const EGRESS_LIMITS: EgressLimits = {
  connections: 512,
  sessionConnections: 64,
  receiveBytes: 1_073_741_824,
  sendBytes: 67_108_864,
  connectMs: 10_000,
  idleMs: 300_000,
  headerBytes: 16_384,
  recheckMs: 5_000,
};
