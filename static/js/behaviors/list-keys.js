/** Keys of the list, heard only while the focus is on a row (WCAG 2.1.4): j and k move, x selects, / searches. */

const ACTS = {
  j: (row) => goTo(row.nextElementSibling),
  k: (row) => goTo(row.previousElementSibling),
  x: (row) => row.querySelector("label:not([hidden]) > .row-check")?.click(),
  "/": () => document.querySelector("[data-filters] [name=q]")?.focus(),
}

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.(".ticket-row")
  if (!row || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const act = ACTS[event.key]
  if (!act) return
  event.preventDefault()
  act(row)
})

function goTo(row) {
  row?.querySelector(".row-link")?.focus()
}

/** Fields that ask for nothing do not make the address long. */
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-filters]")) return
  const { formData } = event
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name)
  if (formData.get("sort") === "-updated") formData.delete("sort")
  if (formData.get("status") === "active") formData.delete("status")
})
