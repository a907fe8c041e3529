/** <toast-list>: says briefly what others have just done; toasts leave after five seconds or when closed. */

import { config } from "../lib/page-config.js"
import { clone } from "../lib/template.js"
import { live } from "../live/index.js"

const SHOWN_MS = 5_000
const MOST = 4

class ToastList extends HTMLElement {
  connectedCallback() {
    live.stream.on("*", (data, name) => this.#hear(name, data), { tests: true })
  }

  #hear(name, data) {
    if (!document.getElementById(`toast-${name}`) || actor(data)?.id === config.user) return
    const toast = clone("toast", {})
    toast.querySelector("[data-slot]").replaceWith(clone(`toast-${name}`, data))
    toast.dataset.test = String(data.test === true)
    toast.querySelector("[data-close]").addEventListener("click", () => toast.remove())
    this.append(toast)
    this.#leaveLater(toast)
    const toasts = this.querySelectorAll(":scope > .toast-item")
    if (toasts.length > MOST) toasts[0].remove()
  }

  /** A toast that someone points at or has tabbed to stays. */
  #leaveLater(toast) {
    const isRead = () => toast.matches(":hover, :focus-within")
    setTimeout(() => (isRead() ? this.#leaveLater(toast) : toast.remove()), SHOWN_MS)
  }
}

function actor(data) {
  return data.updated_by ?? data.changed_by ?? data.created_by ?? data.reply?.user
}

customElements.define("toast-list", ToastList)
