/** Decides whether a ticket belongs to a list, by the same filters as the server. */

/**
 * @param {object} ticket a ticket payload
 * @param {DOMStringMap | object} filter the data attributes of <ticket-list>; an empty one does not filter, and of
 *   several values a ticket has any
 * @param {string} me the user's id
 * @param {boolean} [isRead] whether the user has read the ticket
 */
export function matchesFilter(ticket, filter, me, isRead = false) {
  return (
    isInView(ticket, filter, me, isRead) &&
    isAny([ticket.priority_id], filter.priority) &&
    isAny([ticket.office_id], filter.office) &&
    isAny(
      (ticket.tags ?? []).map(({ id }) => id),
      filter.tag,
    ) && // customers receive no tags
    isAssigned(ticket.assigned_to, filter.assignee, me) &&
    isWithin(ticket.created_at, filter.createdStart, filter.createdEnd) &&
    isWithin(ticket.updated_at, filter.updatedStart, filter.updatedEnd)
  )
}

/** Views and statuses are one kind: a ticket has the status, or is in one of the views. */
export function isInView(ticket, { view, status, side }, me, isRead) {
  const isIn = (name) => {
    if (name === "all") return true
    // Customers see only what waits for the customer, staff what waits for them.
    if (name === "waiting") return isAwake(ticket) && ticket.waiting_for === side
    if (name === "snoozed") return Boolean(ticket.snoozed_until)
    if (name === "unread")
      return !isRead && (!ticket.is_closed || (side === "customer" && ticket.creator.id === me))
    return name === "closed" ? ticket.is_closed : isAwake(ticket)
  }
  return valuesOf(status).includes(String(ticket.status_id)) || valuesOf(view).some(isIn)
}

/** Whether it is in work: customers receive no snooze. */
const isAwake = (ticket) => !ticket.is_closed && !ticket.snoozed_until

/** Compares ids, which data attributes hold as text, separated by spaces; names may change, or look like ids. */
function isAny(ids, filter) {
  const wanted = valuesOf(filter)
  return wanted.length === 0 || ids.some((id) => wanted.includes(String(id)))
}

const valuesOf = (filter) => (filter ? filter.split(" ") : [])

function isAssigned(assignee, filter, me) {
  if (!assignee) return isAny(["none"], filter)
  return isAny(assignee.id === me ? [me, "me"] : [assignee.id], filter)
}

/** A period includes its start and excludes its end. */
function isWithin(moment, start, end) {
  const at = Date.parse(moment)
  return !(start && at < Date.parse(start)) && !(end && at >= Date.parse(end))
}
