/** Keeps every number with `data-count` true: after a change the server is asked, at most once in two seconds. */

import { Pace } from "../lib/throttled-task.js"
import { live } from "../live/index.js"

const PERIOD_MS = 2_000
const SPREAD_MS = 500

const pace = new Pace(renewCounts, {
  period: PERIOD_MS,
  spread: SPREAD_MS,
  isWanted: () => !document.hidden && live.state !== "ended",
})

function places() {
  return document.querySelectorAll("[data-count]")
}

async function renewCounts() {
  const response = await fetch("/tickets/counts/", {
    headers: { Accept: "application/json" },
    redirect: "manual",
  })
  if (!response.ok) throw new Error(response.statusText)
  const { counts } = await response.json()
  for (const place of places()) show(place, counts[place.dataset.count])
}

/** Where there is no number any more, such as for an office that one has left, there is nothing. */
function show(place, number) {
  const text = String(number ?? 0)
  if (place.textContent !== text) place.textContent = text
}

if (places().length > 0) {
  live.stream.on("*", () => pace.ask())
  live.stream.on("stream:reset", () => pace.ask())
  live.stream.on("stream:caughtup", ({ applied }) => applied > 0 && pace.ask())
  document.addEventListener("visibilitychange", () => pace.look())
}
