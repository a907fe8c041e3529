/** Turns events into timeline entries, for a ticket and for the dashboard. */

/** Returns the timeline entries of an event: [{action, actor, source, from, to}]. */
export function timelineEntries(name, data) {
  switch (name) {
    case "ticket.created":
      return [{ action: "created", actor: data.created_by, source: data.ticket.source }]
    case "ticket.reply.created":
      return [
        {
          action: data.reply.is_internal ? "noted" : "replied",
          actor: data.reply.user,
          source: data.reply.source,
        },
      ]
    case "ticket.reply.edited":
      return [{ action: "edited", actor: data.reply.user }]
    case "ticket.reply.updated":
      return [{ action: data.reply.is_internal ? "hidden" : "published", actor: data.updated_by }]
    case "ticket.reply.deleted":
      return [{ action: "deleted", actor: data.deleted_by }]
    case "ticket.status.changed":
      return [{ action: "status", actor: data.changed_by, ...names(data.status_change) }]
    case "ticket.updated":
      return Object.entries(data.changes).map(([action, change]) => ({
        action,
        actor: data.updated_by,
        ...change,
      }))
    default:
      return []
  }
}

function names({ from, to }) {
  return { from: from.name, to: to.name }
}
