/** <toast-list>: notifies of what others have just done; toasts disappear after five seconds or when closed. */

import { config } from "../lib/page-config.js"
import { clone } from "../lib/template.js"
import { live } from "../live/index.js"

const SHOWN_MS = 5_000
const MAX_TOASTS = 4

class ToastList extends HTMLElement {
  connectedCallback() {
    live.stream.on("*", (data, name) => this.#onEvent(name, data), { tests: true })
  }

  #onEvent(name, data) {
    if (!document.getElementById(`toast-${name}`) || actor(data)?.id === config.user) return
    const toast = clone("toast", {})
    toast.querySelector("[data-slot]").replaceWith(clone(`toast-${name}`, data))
    toast.dataset.test = String(data.test === true)
    toast.querySelector("[data-close]").addEventListener("click", () => toast.remove())
    this.append(toast)
    this.#removeLater(toast)
    const toasts = this.querySelectorAll(":scope > .toast-item")
    if (toasts.length > MAX_TOASTS) toasts[0].remove()
  }

  /** Keeps a toast that has the pointer or the focus. */
  #removeLater(toast) {
    const isInUse = () => toast.matches(":hover, :focus-within")
    setTimeout(() => (isInUse() ? this.#removeLater(toast) : toast.remove()), SHOWN_MS)
  }
}

function actor(data) {
  return data.updated_by ?? data.changed_by ?? data.created_by ?? data.reply?.user
}

customElements.define("toast-list", ToastList)
