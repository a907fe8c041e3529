/** Reports the messages that have reached a page of a customer and are not read there or on another page soon. */

import { config, csrfToken } from "../lib/page-config.js"
import { live } from "../live/index.js"

// Read marks, which say more, are sent first.
const WAIT_MS = 5_000

/** The latest message of each ticket by its UUID: {reply, timer}. */
const waiting = new Map()

function onCreated({ audience, ticket, reply }) {
  if (audience !== "public" || reply.user.id === config.user) return
  clearTimeout(waiting.get(ticket.uuid)?.timer)
  const timer = setTimeout(() => report(ticket.uuid, reply.id), WAIT_MS)
  waiting.set(ticket.uuid, { reply: reply.id, timer })
}

function onRead({ ticket, last_read }) {
  const found = waiting.get(ticket.uuid)
  if (found === undefined || found.reply !== last_read?.id) return
  clearTimeout(found.timer)
  waiting.delete(ticket.uuid)
}

/** A report that fails is not repeated: the message counts as delivered once the next one is, or once it is read. */
async function report(uuid, reply) {
  waiting.delete(uuid)
  if (live.state === "ended") return
  const body = new FormData()
  body.set("reply", reply)
  body.set("csrfmiddlewaretoken", csrfToken())
  await fetch(`/tickets/${uuid}/delivered/`, { method: "POST", body, redirect: "manual" }).catch(() => {})
}

if (config.user) {
  live.stream.on("ticket.reply.created", onCreated)
  live.stream.on("ticket.read", onRead)
}
