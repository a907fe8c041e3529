/** Changes of a ticket as lines between its messages. */

import { clone } from "./template.js"

const LINES = new Set(["status", "priority", "assigned_to", "office"])

/** Whether a timeline entry stands between the messages. */
export function isLine({ action }) {
  return LINES.has(action)
}

/** Whether a timeline entry says that a message was added, which stands in the conversation itself. */
export function isMessage({ action }) {
  return action === "replied" || action === "noted"
}

/** Adds a change at the end of the conversation. */
export function appendChange(list, entry) {
  const last = list.lastElementChild
  if (last?.matches(".changes")) addTo(last, [entry])
  else list.append(changesItem([entry]))
}

/** Returns a list item of changes that follow each other. */
export function changesItem(lines) {
  const item = clone("changes", {})
  addTo(item, lines)
  item.querySelector("details").open = lines.length < 3
  return item
}

function addTo(item, lines) {
  const list = item.querySelector("ol")
  list.append(...lines.map((line) => clone(`timeline-${line.action}`, line)))
  item.querySelector("[data-number]").textContent = String(list.children.length)
}
