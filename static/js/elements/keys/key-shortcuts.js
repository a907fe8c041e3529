/**
 * <key-shortcuts data-single-keys>: the shortcuts of the page, which its help lists. Each <div data-action> of the help
 * is one: the keys, the action (`lib/keys/actions.js`) and its label.
 */

import { performer } from "../../lib/keys/actions.js"
import { Shortcuts } from "../../lib/keys/shortcuts.js"

const WITHOUT_SCRIPT = "[data-action='']" // done by the browser, or by the element that has the focus

class KeyShortcuts extends HTMLElement {
  #shortcuts

  connectedCallback() {
    const usesSingleKeys = this.dataset.singleKeys === "true"
    this.#shortcuts = new Shortcuts(this.all, { usesSingleKeys })
    document.addEventListener("keydown", (event) => this.#onKeydown(event))
  }

  /** @returns {{action: string, keys: string, label: string, href?: string}[]} */
  get all() {
    const rows = this.querySelectorAll(`[data-action]:not(${WITHOUT_SCRIPT})`)
    return [...rows].map((row) => ({ ...row.dataset, label: row.querySelector("dd").textContent }))
  }

  #onKeydown(event) {
    if (event.key === "Escape") {
      leaveField(event)
      return
    }
    const shortcut = this.#shortcuts.match(event)
    const perform = shortcut && performer(shortcut)
    if (!perform) return
    event.preventDefault()
    perform()
  }
}

/** After Escape in a field, single keys work again. */
function leaveField({ target, defaultPrevented }) {
  if (!defaultPrevented && target.matches("input, textarea, select") && !target.closest("dialog"))
    target.blur()
}

customElements.define("key-shortcuts", KeyShortcuts)
