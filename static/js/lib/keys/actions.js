/** What keys and the command palette do: for each action a function that returns what it would do, or nothing. */

/** Of a ticket, and of the list: that of selected rows, or without a ticket beside it of the current row. */
const FIELDS = {
  assign: ["#change-assigned_to", "#bulk-assigned_to"],
  status: ["#change-status", "#bulk-status"],
  priority: ["#change-priority", "#bulk-priority"],
  tag: ["#add-tag", "#bulk-tag"],
  macro: ["macro-picker", "#bulk-macro"],
  snooze: ["[data-snooze]:not([hidden]) .snooze-choices button", "#bulk-snooze"],
}

const ACTIONS = {
  help: () => onPage((page) => page.querySelector("#key-help").showModal()),
  palette: () => onPage((page) => page.querySelector("command-palette").open()),
  go: (shortcut) => shortcut.href && (() => location.assign(shortcut.href)),
  search: () => focus(document.querySelector("[data-filters] [name=q]")),
  next: () => toRow(1) ?? follow("next"),
  previous: () => toRow(-1) ?? follow("previous"),
  back: () => follow("list"),
  select: () => rowBox() && (() => rowBox().click()),
  "select-next": () => selectAndMove(1),
  "select-previous": () => selectAndMove(-1),
  reply: () => write(""),
  note: () => write("on"),
  assign: () => change("assign"),
  status: () => change("status"),
  priority: () => change("priority"),
  tag: () => change("tag"),
  snooze: () => change("snooze"),
  macro: () => (!hasSelection() && pickMacro()) || change("macro"),
  take: () => take(),
}

/**
 * Returns a function that performs the shortcut's action, or null if the page has nothing to do it with.
 *
 * @param {{action: string, href?: string}} shortcut
 */
export function performer(shortcut) {
  return ACTIONS[shortcut.action]?.(shortcut) || null
}

/** Opens a dialog, unless another one is open. */
function onPage(open) {
  return document.querySelector("dialog[open]") ? null : () => open(document)
}

function focus(element) {
  return element && (() => reveal(element))
}

function reveal(element) {
  const fold = element.closest("details")
  if (fold) fold.open = true
  element.focus()
}

function follow(place) {
  const link = document.querySelector(`[data-place=${place}]`)
  return link && (() => link.click())
}

// The list

/** The row that had the focus last: it may have gone to a field, and Escape leaves that. */
let lastRow = null

function currentRow() {
  const shown = document.querySelector(".ticket-row:has(.row-link[aria-current])") // in the split view
  const last = lastRow?.isConnected ? lastRow : null
  lastRow = document.activeElement?.closest(".ticket-row") ?? shown ?? last
  return lastRow
}

function rowBox() {
  return currentRow()?.querySelector("label:not([hidden]) > .row-check")
}

function toRow(step) {
  const all = [...document.querySelectorAll("#ticket-rows > .ticket-row")]
  const rows = all.filter((row) => row.checkVisibility())
  if (rows.length === 0) return null
  const place = rows.indexOf(currentRow())
  const row = rows[place === -1 ? 0 : Math.min(Math.max(place + step, 0), rows.length - 1)]
  return () => {
    lastRow = row
    const link = row.querySelector(".row-link")
    link.focus()
    link.dispatchEvent(new CustomEvent("row:chosen", { bubbles: true }))
  }
}

function selectAndMove(step) {
  if (!rowBox()) return null
  return () => {
    if (!rowBox().checked) rowBox().click()
    toRow(step)()
    if (!rowBox()?.checked) rowBox()?.click()
  }
}

/** Without a selection, changes concern the row with the focus. */
function selectCurrent() {
  if (!hasSelection()) rowBox()?.click()
  return hasSelection()
}

// The ticket

function write(internal) {
  const form = document.querySelector("form.composer")
  const choice = form?.querySelector(`input[name=internal][value="${internal}"]`)
  if (!form || (internal && !choice)) return null
  return () => {
    choice?.click()
    form.elements.message.focus()
  }
}

function change(name) {
  const [ofTicket, ofList] = FIELDS[name].map((selector) => document.querySelector(selector))
  const field = (!hasSelection() && ofTicket) || ofList
  if (!field || (isBulk(field) && !hasRow())) return null
  return () => {
    if (!isBulk(field) || selectCurrent()) reveal(field)
  }
}

function take() {
  const form = document.querySelector("form.take")
  if (form && !hasSelection()) return form.hidden ? null : () => form.querySelector("button").click()
  const field = document.querySelector("#bulk-assigned_to")
  if (!field || !hasRow()) return null
  return () => {
    if (!selectCurrent()) return
    field.value = "me"
    field.form.requestSubmit()
  }
}

const hasSelection = () => document.querySelector(".row-check:checked") !== null

function pickMacro() {
  const picker = document.querySelector("macro-picker")
  return picker && (() => picker.open())
}

const isBulk = (field) => field.id.startsWith("bulk-")

const hasRow = () => Boolean(rowBox()) || hasSelection()
