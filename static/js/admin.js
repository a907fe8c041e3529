/** Gives the suggestions of Django's admin (Select2) the name of their field, which they do not say by themselves. */

function nameSelections() {
  for (const box of document.querySelectorAll(".select2-selection__rendered:not([aria-label])")) {
    const field = box.closest(".select2-container").previousElementSibling
    const label = field?.labels?.[0]?.textContent.trim()
    if (label) box.setAttribute("aria-label", label.replace(/:$/, ""))
  }
}

new MutationObserver(nameSelections).observe(document.documentElement, { childList: true, subtree: true })
