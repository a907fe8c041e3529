/** The history of events, by HTTP: what the stream asks after every break. */

/**
 * Returns what was told on `channels` since the cursor.
 *
 * @throws {Error} with `status`, `refused` (channel names) and `retryAfter` (seconds), as far as the answer has them
 */
export async function fetchHistory({ since, channels }) {
  const query = new URLSearchParams(channels.map((channel) => ["channel", channel]))
  if (since) query.set("since", since)
  const response = await fetch(`/broadcasting/history?${query}`, { headers: { Accept: "application/json" } })
  const body = await response.json()
  if (response.ok) return body
  const retryAfter = Number(response.headers.get("Retry-After"))
  throw Object.assign(new Error(body.detail), { status: response.status, refused: body.refused, retryAfter })
}
