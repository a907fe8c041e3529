/** Labels the Select2 fields of Django's admin, which have no accessible name. */

function labelSelections() {
  for (const box of document.querySelectorAll(".select2-selection__rendered:not([aria-label])")) {
    const field = box.closest(".select2-container").previousElementSibling
    const label = field?.labels?.[0]?.textContent.trim()
    if (label) box.setAttribute("aria-label", label.replace(/:$/, ""))
  }
}

new MutationObserver(labelSelections).observe(document.documentElement, { childList: true, subtree: true })
