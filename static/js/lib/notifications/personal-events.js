/** Events that leave a ticket as it is: what the user was notified of, read, chose or drafted, and who read a message. */

const PERSONAL = new Set([
  "ticket.read",
  "ticket.receipts.updated",
  "ticket.notified",
  "ticket.subscribed",
  "notifications.read",
  "draft.saved",
])

/** Returns whether an event changes nothing of a ticket. Its `ticket` is not the whole one. */
export function isPersonal(name) {
  return PERSONAL.has(name)
}
