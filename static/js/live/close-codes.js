/** What a close code of the socket means to a page and to the person before it (Pusher protocol 7, "Error codes"). */

export const SIGNED_OUT = 4009

const SWITCHED_OFF = 4003
const NO_ROOM = 4004
const HEALS_WITHIN_MS = 60_000
const IS_MENDED_WITHIN_MS = 900_000

/** Says whether pusher-js comes back by itself, after a second or at once: 41xx, 42xx. */
export function isAskedBack(code) {
  return code >= 4100 && code < 4300
}

/** Returns the state of a page that the socket is closed to: "refused", "off", "busy" or "crowded". */
export function stateOf({ code, message }) {
  // The protocol has no code for it, only the server's own words: this person has too many pages open.
  if (message?.includes("of one person")) return "crowded"
  if (code === SWITCHED_OFF) return "off"
  return code === NO_ROOM || isAskedBack(code) ? "busy" : "refused"
}

/**
 * Returns for how many milliseconds a page stays away before it tries again, by itself, what pusher-js has given up.
 *
 * What heals by itself is tried after one to two minutes. The rest (no such app, a wrong path or version, a foreign
 * origin) is in the page or in the server's settings: it is tried after 15 to 30 minutes, for pages that stay open
 * for days while somebody mends it. pusher-js would try neither.
 */
export function pauseAfter(code, random) {
  const heals = code === SWITCHED_OFF || code === NO_ROOM || isAskedBack(code)
  return (heals ? HEALS_WITHIN_MS : IS_MENDED_WITHIN_MS) * (1 + random)
}
