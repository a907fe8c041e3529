/** Push messages for this browser: the site sends them while no page shows a notification. */

import { config, csrfToken } from "../page-config.js"

const ADDRESS = "/notifications/push/"
const SENT = "push-subscribed"

/** Subscribes, if the user allowed notifications; once in each tab, since the subscription ends with the session. */
export async function subscribe() {
  if (!("PushManager" in window) || Notification.permission !== "granted") return
  if (sessionStorage.getItem(SENT) === config.user) return
  const worker = await navigator.serviceWorker.register("/sw.js")
  const { key } = await (await fetch(ADDRESS, { redirect: "manual" })).json()
  const options = { userVisibleOnly: true, applicationServerKey: key }
  const subscription = await worker.pushManager.subscribe(options).catch(async () => {
    // The site has another key since.
    await (await worker.pushManager.getSubscription())?.unsubscribe()
    return worker.pushManager.subscribe(options)
  })
  const { endpoint, keys } = subscription.toJSON()
  const response = await post(ADDRESS, { endpoint, ...keys })
  if (response.ok) sessionStorage.setItem(SENT, config.user)
}

/** Reports that a page has shown the notification of a ticket. */
export function reportShown(ticket) {
  post(`${ADDRESS}shown/`, { ticket: ticket.uuid }).catch(() => {})
}

function post(address, values) {
  const body = new FormData()
  for (const [name, value] of Object.entries(values)) body.set(name, value)
  body.set("csrfmiddlewaretoken", csrfToken())
  return fetch(address, { method: "POST", body, redirect: "manual" })
}
