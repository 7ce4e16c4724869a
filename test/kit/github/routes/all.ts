import type { Route } from "../router.ts";
import { actionsRoutes } from "./actions.ts";
import { appRoutes } from "./apps.ts";
import { checkRoutes } from "./checks.ts";
import { contentsRoutes } from "./contents.ts";
import { hookRoutes } from "./hooks.ts";
import { issueRoutes } from "./issues.ts";
import { labelRoutes } from "./labels.ts";
import { pullRoutes } from "./pulls.ts";
import { reactionRoutes } from "./reactions.ts";
import { repositoryOwnRoutes } from "./repositories.ts";
import { reviewRoutes } from "./reviews.ts";

/** All that the local GitHub answers. After a change run `openapi/extract.ts`. */
export const routes: readonly Route[] = [
  ...appRoutes,
  ...repositoryOwnRoutes,
  ...contentsRoutes,
  ...hookRoutes,
  ...issueRoutes,
  ...labelRoutes,
  ...reactionRoutes,
  ...pullRoutes,
  ...reviewRoutes,
  ...checkRoutes,
  ...actionsRoutes,
];
