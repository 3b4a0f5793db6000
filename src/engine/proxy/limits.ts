/** Next hops that one request is sent to at most, those of redirects included. */
export const MAX_TARGETS = 64;
/** Contacts of one redirect that are followed. */
export const MAX_REDIRECT_CONTACTS = 10;
/** How often in a row a redirect leads to a redirect. */
export const MAX_REDIRECT_DEPTH = 5;
/** Branches at once when the request does not say (RFC 5393 §5.3.1). */
export const DEFAULT_MAX_BREADTH = 60;
/** Challenges whose answer is awaited; the oldest are forgotten first. */
export const MAX_CHALLENGES = 10_000;
/** How long an answer to a challenge may take; milliseconds. */
export const CHALLENGE_LIFETIME_MS = 2_000;
/** Longest time-out that an application may ask for; milliseconds. */
export const MAX_TIMEOUT_MS = 3_600_000;
