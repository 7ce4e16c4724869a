import type { Repository } from "../../core/repository.ts";
import type { PlaceStore } from "../../store/sessions/places.ts";
import type { CommonDeps } from "../deps.ts";
import type { Payload } from "../payload.ts";
import type { Decision } from "../rule.ts";

/** A delivery about repositories themselves: where they are, and whether the bot is wanted there. */
export interface PlaceEvent {
  event: string;
  action: string;
  repository: { id: number; name: Repository } | null;
  payload: Payload;
  receivedAt: string;
}

export interface PlaceDeps extends CommonDeps {
  places: PlaceStore;
  /** Whether the bot may work there; what everybody may read it may read even where it is not wanted. */
  isWanted(repository: Repository): Promise<boolean>;
  /** Whatever is kept of a repository under that name is dropped. */
  forget(repository: Repository): Promise<void>;
}

/** As other rules are, for such events. */
export interface PlaceRule {
  name: string;
  decide(deps: PlaceDeps, event: PlaceEvent): Promise<Decision | null>;
}

const ABOUT_PLACES = new Set(["installation", "installation_repositories", "repository"]);

export function isAboutPlaces(event: string): boolean {
  return ABOUT_PLACES.has(event);
}
