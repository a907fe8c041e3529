/** Events about the user, not about a ticket: what they were notified of, have read, chose or drafted. */

const PERSONAL = new Set([
  "ticket.read",
  "ticket.notified",
  "ticket.subscribed",
  "notifications.read",
  "draft.saved",
])

/** Returns whether an event changes nothing of a ticket. Its `ticket` is not the whole one. */
export function isPersonal(name) {
  return PERSONAL.has(name)
}
