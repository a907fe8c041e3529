/** Updates the numbers with `data-count`: after a change it asks the server, at most once in two seconds. */

import { isPersonal } from "../lib/notifications/personal-events.js"
import { ThrottledTask } from "../lib/throttled-task.js"
import { live } from "../live/index.js"

const PERIOD_MS = 2_000
const SPREAD_MS = 500
const MAX_COUNT = 1000 // the server counts no further

const update = new ThrottledTask(updateCounts, {
  period: PERIOD_MS,
  spread: SPREAD_MS,
  isAllowed: () => !document.hidden && live.state !== "ended",
})

function counters() {
  return document.querySelectorAll("[data-count]:not([data-count=''])")
}

async function updateCounts() {
  const response = await fetch("/tickets/counts/", {
    headers: { Accept: "application/json" },
    redirect: "manual",
  })
  if (!response.ok) throw new Error(response.statusText)
  const { counts } = await response.json()
  for (const counter of counters()) show(counter, counts[counter.dataset.count])
}

/** Shows 0 where the server sends no number, such as for an office that the user has left. */
function show(counter, number) {
  const text = number >= MAX_COUNT ? `${MAX_COUNT - 1}+` : String(number ?? 0)
  if (counter.textContent !== text) counter.textContent = text
}

/** Reading changes only the number of unread tickets. */
function isCounted(name) {
  if (name === "ticket.read") return document.querySelector("[data-count=unread]") !== null
  return !isPersonal(name)
}

/** A list may be added to the page. */
function request() {
  if (counters().length > 0) update.request()
}

live.stream.on("*", (_data, name) => isCounted(name) && request())
live.stream.on("stream:reset", request)
live.stream.on("stream:caughtup", ({ applied }) => applied > 0 && request())
document.addEventListener("visibilitychange", () => update.check())
