/** Shows the number of unread tickets that concern the user in the navigation bar, the title and the tab's icon. */

import { config } from "../lib/page-config.js"
import { ThrottledTask } from "../lib/throttled-task.js"
import { live } from "../live/index.js"

const PERIOD_MS = 2_000
const SPREAD_MS = 1_000
const MAX_SHOWN = 99
const REMOVING = new Set(["ticket.read", "ticket.withdrawn", "ticket.access.reduced"])
const PREFIX = /^\(\d+\+?\) /

const badge = document.querySelector("[data-unread-count]")
const icon = document.querySelector("link[rel=icon]")
const update = new ThrottledTask(load, {
  period: PERIOD_MS,
  spread: SPREAD_MS,
  isAllowed: () => live.state !== "ended",
})

async function load() {
  const response = await fetch("/tickets/unread/", {
    headers: { Accept: "application/json" },
    redirect: "manual",
  })
  if (!response.ok) throw new Error(response.statusText)
  const { unread } = await response.json()
  badge.dataset.unreadCount = String(unread)
  show()
}

function show() {
  const number = Number(badge.dataset.unreadCount)
  const text = number > MAX_SHOWN ? `${MAX_SHOWN}+` : String(number)
  badge.hidden = number === 0
  const shown = badge.querySelector("[data-number]")
  if (shown.textContent !== text) shown.textContent = text
  showTitle(number === 0 ? "" : `(${text}) `)
  const { unread, plain } = icon.dataset
  icon.href = number > 0 ? unread : (plain ?? icon.href)
}

function showTitle(prefix) {
  const title = `${prefix}${document.title.replace(PREFIX, "")}`
  if (document.title !== title) document.title = title
}

/** Returns whether an event may change the number: its ticket is the user's own, or their work. */
function isConcerned({ ticket, changes }, name) {
  if (REMOVING.has(name)) return true
  if (changes?.assigned_to) return true
  return ticket?.creator?.id === config.user || ticket?.assigned_to?.id === config.user
}

if (badge) {
  icon.dataset.plain = icon.href
  show()
  live.stream.on("*", (data, name) => isConcerned(data, name) && update.request())
  live.stream.on("stream:reset", () => update.request())
  live.addEventListener("state", () => update.check())
  // Pages set the title anew when a subject changes.
  new MutationObserver(show).observe(document.querySelector("title"), { childList: true })
}
