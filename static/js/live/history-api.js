/** Requests the event history over HTTP. */

import { correctClock } from "../lib/server-clock.js"

const TIMEOUT_MS = 10_000
const INVALID_CURSOR = "invalid_cursor" // the problem's code

/**
 * Returns the events on `channels` since the cursor.
 *
 * @throws {Error} with `status`, `code`, `refused` (channel names) and `retryAfter` (seconds), as far as the response has them
 */
export async function fetchHistory({ since, channels }) {
  try {
    return await request({ since, channels })
  } catch (error) {
    if (error.code !== INVALID_CURSOR) throw error
    return { ...(await request({ channels })), reset: true } // the site has another key, or another log
  }
}

async function request({ since, channels }) {
  const query = new URLSearchParams(channels.map((channel) => ["channel", channel]))
  if (since) query.set("since", since)
  const response = await fetch(`/broadcasting/history?${query}`, {
    headers: { Accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS), // on a silent network it would wait for minutes
  })
  const moment = Date.parse(response.headers.get("Date"))
  if (moment) correctClock(moment)
  if (response.ok) return await response.json()
  const { code, detail, refused } = await response.json().catch(() => ({})) // a reverse proxy answers without JSON
  const retryAfter = Number(response.headers.get("Retry-After"))
  throw Object.assign(new Error(detail), { status: response.status, code, refused, retryAfter })
}
