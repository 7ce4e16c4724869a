import { newId } from "../../../src/core/id.ts";
import type { GatewaySession } from "../../../src/gateway/session.ts";

/** A session as the gateway's doors see it: it may read, and ask its model. */
export function gatewaySession(): GatewaySession {
  return {
    sessionId: newId(),
    repository: "acme/app",
    policy: {
      edit: false,
      pushBranches: [],
      pushWorkflows: false,
      reach: "usual",
      maxTokens: null,
      maxCostUsd: null,
    },
    workBranch: null,
    spent: { tokens: 0, costUsd: 0 },
    readAt: 0,
  };
}
