import { APPROVAL_SETTINGS } from "./approval-settings.ts";
import { BOT_SETTINGS } from "./bot-settings.ts";
import { COORDINATION_SETTINGS } from "./coordination-settings.ts";
import { EGRESS_SETTINGS } from "./egress-settings.ts";
import { ENGINE_PROXY_SETTINGS } from "./engine-proxy-settings.ts";
import { FORGE_SETTINGS } from "./forge-settings.ts";
import { LABEL_SETTINGS } from "./label-settings.ts";
import { MODEL_SETTINGS } from "./model-settings.ts";
import { NOTIFY_SETTINGS } from "./notify-settings.ts";
import { REVIEW_SETTINGS } from "./review-settings.ts";
import { SERVING_SETTINGS } from "./serving-settings.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";

/** Every setting there is. The names in capitals that the older system had keep their meaning. */
export const SETTINGS = {
  ...SERVING_SETTINGS,
  ...FORGE_SETTINGS,
  ...BOT_SETTINGS,
  ...LABEL_SETTINGS,
  ...REVIEW_SETTINGS,
  ...MODEL_SETTINGS,
  ...SESSION_SETTINGS,
  ...COORDINATION_SETTINGS,
  ...EGRESS_SETTINGS,
  ...NOTIFY_SETTINGS,
  ...APPROVAL_SETTINGS,
  ...ENGINE_PROXY_SETTINGS,
};
