/** Requests the event history over HTTP. */

/**
 * Returns the events on `channels` since the cursor.
 *
 * @throws {Error} with `status`, `refused` (channel names) and `retryAfter` (seconds), as far as the response has them
 */
export async function fetchHistory({ since, channels }) {
  const query = new URLSearchParams(channels.map((channel) => ["channel", channel]))
  if (since) query.set("since", since)
  const response = await fetch(`/broadcasting/history?${query}`, { headers: { Accept: "application/json" } })
  if (response.ok) return await response.json()
  const { detail, refused } = await response.json().catch(() => ({})) // a reverse proxy answers without JSON
  const retryAfter = Number(response.headers.get("Retry-After"))
  throw Object.assign(new Error(detail), { status: response.status, refused, retryAfter })
}
