/** The forms of a ticket's properties: each shows the ticket's value and version, unless the user is changing it. */

/**
 * Shows the ticket's value with its version. A form that the user is changing keeps both, and so does one that cannot
 * show the value: an old value sent with a new version would overwrite another user's change unnoticed.
 */
export function showProperty(form, ticket) {
  if (isBeingChanged(form)) return
  const fields = [...form.querySelectorAll("select, input:not([type=hidden])")]
  if (fields.every((field) => showValue(field, ticket))) form.elements.version.value = ticket.version
}

/** Whether the form has the focus, a request, a conflict, or a choice that could not be saved. */
function isBeingChanged(form) {
  const isUndecided = "conflicted" in form.dataset || "unsaved" in form.dataset
  return isUndecided || form.ariaBusy === "true" || form.contains(document.activeElement)
}

/** Shows the ticket's value of a field, by id and never by name; returns whether it does. */
export function showValue(field, ticket) {
  const { value, label } = valueOf(ticket, field.name)
  if (value === undefined) return false
  if (field.tagName === "SELECT" && !hasOption(field, value)) field.add(new Option(label, value))
  field.value = value
  return field.value === value
}

/** Returns whether a select has an option with this value; the texts may be translated by the browser. */
export function hasOption(field, value) {
  return [...field.options].some((option) => option.value === value)
}

/** Returns a field's value, as forms send it, and its label; the value is undefined if the payload has none. */
function valueOf(ticket, name) {
  if (name === "subject") return { value: ticket.subject }
  if (name === "assigned_to")
    return { value: ticket.assigned_to?.id ?? "", label: ticket.assigned_to?.name ?? "" }
  const id = ticket[`${name}_id`]
  return { value: id === undefined ? undefined : String(id), label: ticket[name] }
}
