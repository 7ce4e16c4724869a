import type { ModelForm } from "../../core/job.ts";

/** Claude Code wants some credential. The real one is added outside of the sandbox. */
const PLACEHOLDER = "added-by-the-gateway";

/**
 * Has Claude Code speak the form of the way that the hub uses. It knows best which features, and which names of
 * models, each of them takes; tried with version 2.1.330.
 *
 * @param url The model door, as seen from the agent.
 */
export function modelEnvironment(model: ModelForm, url: string): Record<string, string> {
  const { opus, sonnet, haiku } = model.families;
  return {
    ...formEnvironment(model, url),
    ...(opus === null ? {} : { ANTHROPIC_DEFAULT_OPUS_MODEL: opus }),
    ...(sonnet === null ? {} : { ANTHROPIC_DEFAULT_SONNET_MODEL: sonnet }),
    ...(haiku === null ? {} : { ANTHROPIC_DEFAULT_HAIKU_MODEL: haiku }),
  };
}

function formEnvironment({ form, region }: ModelForm, url: string): Record<string, string> {
  switch (form) {
    case "anthropic":
      return { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: PLACEHOLDER };
    case "subscription":
      return { ANTHROPIC_BASE_URL: url, CLAUDE_CODE_OAUTH_TOKEN: PLACEHOLDER };
    case "bedrock":
      return {
        CLAUDE_CODE_USE_BEDROCK: "1",
        CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
        ANTHROPIC_BEDROCK_BASE_URL: url,
        AWS_REGION: region ?? "",
        // There is no role to be had in a sandbox.
        AWS_EC2_METADATA_DISABLED: "true",
      };
    case "vertex":
      return {
        CLAUDE_CODE_USE_VERTEX: "1",
        CLAUDE_CODE_SKIP_VERTEX_AUTH: "1",
        ANTHROPIC_VERTEX_BASE_URL: url,
        CLOUD_ML_REGION: region ?? "",
        // Which one it really is, the door says.
        ANTHROPIC_VERTEX_PROJECT_ID: PLACEHOLDER,
      };
    default:
      return form satisfies never;
  }
}
