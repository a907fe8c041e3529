/** Whether a ticket, as its brief says it is, belongs to what a list shows: the server's filters once more. */

/**
 * @param {object} ticket a brief
 * @param {DOMStringMap | object} wanted the data attributes of <ticket-list>; an empty one asks for nothing
 * @param {string} me the id of who looks
 */
export function belongs(ticket, wanted, me) {
  return (
    isOfView(ticket, wanted) &&
    isSame(ticket.priority, wanted.priority) &&
    isSame(ticket.office, wanted.office) &&
    isInHands(ticket.assigned_to, wanted.assignee, me) &&
    isWithin(ticket.created_at, wanted.createdStart, wanted.createdEnd) &&
    isWithin(ticket.updated_at, wanted.updatedStart, wanted.updatedEnd)
  )
}

function isOfView(ticket, { view, statusName }) {
  if (statusName) return ticket.status === statusName
  if (view === "all") return true
  return ticket.is_closed === (view === "closed")
}

function isSame(value, wanted) {
  return !wanted || value === wanted
}

function isInHands(person, wanted, me) {
  if (!wanted) return true
  if (wanted === "none") return person === null
  return person?.id === (wanted === "me" ? me : wanted)
}

/** The first moment belongs to a period, the last one does not. */
function isWithin(moment, start, end) {
  const at = Date.parse(moment)
  return !(start && at < Date.parse(start)) && !(end && at >= Date.parse(end))
}
