/**
 * Desktop notifications and sounds, of one tab only: that which is looked at, which shows a toast itself, or else any. The
 * tab that takes the event's lock first speaks.
 */

import { AlertSpeaker } from "../lib/notifications/alert-speaker.js"
import { reportShown, subscribe } from "../lib/notifications/push.js"
import { playSound } from "../lib/notifications/sound.js"
import { summaryOf } from "../lib/notifications/summaries.js"
import { clone } from "../lib/template.js"
import { live } from "../live/index.js"

const speaker = new AlertSpeaker()
const bell = document.querySelector("notification-bell")

function onNotified(data) {
  const wanted = JSON.parse(bell.dataset.alerts)[data.kind] ?? []
  speaker.speak(data.event_id, (isLookedAt) => alertUser(data, wanted, isLookedAt))
}

function alertUser(data, wanted, isLookedAt) {
  const isOpen =
    isLookedAt && document.querySelector(`ticket-page[data-uuid="${CSS.escape(data.ticket.uuid)}"]`)
  if (wanted.includes("sound") && !isOpen) playSound().catch(() => {})
  if (wanted.includes("desktop") && !isLookedAt) showOnDesktop(data).catch(() => {}) // e.g. revoked just now
  // Otherwise a push message follows: also to this browser, if it may not show it itself.
  if (isLookedAt || globalThis.Notification?.permission === "granted") reportShown(data.ticket)
}

async function showOnDesktop(data) {
  if (globalThis.Notification?.permission !== "granted") return
  const text = clone(`toast-${data.kind}`, data).textContent.replace(/\s+/g, " ").trim()
  const options = { tag: tagOf(data), renotify: true, body: data.ticket.reference, data: { url: data.url } }
  const worker = await navigator.serviceWorker?.getRegistration("/")
  if (worker?.active)
    await worker.showNotification(text, options) // a click is handled there
  else showWithoutWorker(text, options)
}

/** What it replaces: an earlier message of the ticket, and the same notification of a tab where there are no locks. */
function tagOf(data) {
  return summaryOf(data.kind) ? data.ticket.uuid : data.event_id
}

function showWithoutWorker(text, options) {
  const shown = new Notification(text, options)
  shown.addEventListener("click", () => {
    window.focus()
    location.assign(options.data.url)
    shown.close()
  })
}

if (bell) {
  live.stream.on("ticket.notified", onNotified)
  subscribe().catch(() => {}) // offline: the next page tries again
}
