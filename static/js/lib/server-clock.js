/** The server's time: this computer's clock may be wrong, and may be set while the page is open. */

// An HTTP date has whole seconds, and an answer takes a while.
const TOLERANCE_MS = 5_000

/** Milliseconds by which the server's clock is ahead of this one. */
let ahead = 0

/** Returns the server's time in milliseconds, as Date.now() does. */
export function serverNow() {
  return Date.now() + ahead
}

/**
 * Corrects the clock by the server's time in an answer that has just come.
 *
 * @param {number} moment in milliseconds
 */
export function correctClock(moment) {
  const measured = moment - Date.now()
  if (Math.abs(measured - ahead) > TOLERANCE_MS) ahead = measured
}
