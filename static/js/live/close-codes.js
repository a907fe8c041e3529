/** What a close code of the socket means for a page (Pusher protocol 7, "Error codes"). */

export const SIGNED_OUT = 4009

const DISABLED = 4003
const OVER_QUOTA = 4004
const TOO_MANY_OF_USER = 4101
const TRANSIENT_RETRY_MS = 60_000
const PERMANENT_RETRY_MS = 900_000

/** Says whether pusher-js reconnects by itself: 41xx after a second, 42xx at once. */
export function isRetriedByPusher(code) {
  return code >= 4100 && code < 4300
}

/** Returns the state of a page whose socket the server closes: "refused", "off", "busy" or "crowded". */
export function unavailableState({ code }) {
  if (code === TOO_MANY_OF_USER) return "crowded" // the user has too many pages open
  if (code === DISABLED) return "off"
  return code === OVER_QUOTA || isRetriedByPusher(code) ? "busy" : "refused"
}

/**
 * Returns after how many milliseconds a page reconnects when pusher-js does not.
 *
 * One to two minutes where the cause is transient. Other causes (unknown app, wrong path or version, foreign origin)
 * lie in the page or in the server's settings: 15 to 30 minutes, for pages that stay open until they are fixed.
 */
export function retryDelay(code, random) {
  const isTransient = code === DISABLED || code === OVER_QUOTA || isRetriedByPusher(code)
  return (isTransient ? TRANSIENT_RETRY_MS : PERMANENT_RETRY_MS) * (1 + random)
}
