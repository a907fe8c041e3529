/** Decides whether a ticket belongs to a list, by the same filters as the server. */

/**
 * @param {object} ticket a ticket payload
 * @param {DOMStringMap | object} filter the data attributes of <ticket-list>; an empty one does not filter
 * @param {string} me the user's id
 */
export function matchesFilter(ticket, filter, me) {
  return (
    isInView(ticket, filter, me) &&
    isSame(ticket.priority_id, filter.priority) &&
    isSame(ticket.office_id, filter.office) &&
    hasTag(ticket.tags, filter.tag) &&
    isAssigned(ticket.assigned_to, filter.assignee, me) &&
    isWithin(ticket.created_at, filter.createdStart, filter.createdEnd) &&
    isWithin(ticket.updated_at, filter.updatedStart, filter.updatedEnd)
  )
}

function isInView(ticket, { view, status, side }, me) {
  if (status) return isSame(ticket.status_id, status)
  if (view === "all") return true
  // Customers see only what waits for the customer, staff what waits for them.
  if (view === "waiting") return !ticket.is_closed && ticket.waiting_for === side
  if (view === "unread") return !ticket.is_closed || (side === "customer" && ticket.creator.id === me)
  return ticket.is_closed === (view === "closed")
}

/** Compares ids, which data attributes hold as text; names may change, or look like ids. */
function isSame(id, filter) {
  return !filter || String(id) === filter
}

/** Customers receive no tags. */
function hasTag(tags, filter) {
  return !filter || (tags ?? []).some((tag) => isSame(tag.id, filter))
}

function isAssigned(assignee, filter, me) {
  if (!filter) return true
  if (filter === "none") return assignee === null
  return assignee?.id === (filter === "me" ? me : filter)
}

/** A period includes its start and excludes its end. */
function isWithin(moment, start, end) {
  const at = Date.parse(moment)
  return !(start && at < Date.parse(start)) && !(end && at >= Date.parse(end))
}
