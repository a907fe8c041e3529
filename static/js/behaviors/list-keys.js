/** Keyboard shortcuts while a list row has the focus (WCAG 2.1.4): j and k move, x selects, / searches. */

const SHORTCUTS = {
  j: (row) => focusRow(row.nextElementSibling),
  k: (row) => focusRow(row.previousElementSibling),
  x: (row) => row.querySelector("label:not([hidden]) > .row-check")?.click(),
  "/": () => document.querySelector("[data-filters] [name=q]")?.focus(),
}

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".ticket-row")
  if (!row || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const run = SHORTCUTS[event.key]
  if (!run) return
  event.preventDefault()
  run(row)
})

function focusRow(row) {
  row?.querySelector(".row-link")?.focus()
}

/** Keeps empty filters out of the URL. */
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-filters]")) return
  const { formData } = event
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name)
})
