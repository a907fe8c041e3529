/** <activity-list data-most>: what has just happened on all tickets, newest first; still while someone reads it. */

import { clone } from "../lib/template.js"
import { lines } from "../lib/timeline.js"
import { live } from "../live/index.js"

class ActivityList extends HTMLElement {
  #waiting = []

  connectedCallback() {
    live.stream.on("*", (data, name) => this.#hear(name, data))
    this.addEventListener("pointerleave", () => this.#show())
    this.addEventListener("focusout", () => setTimeout(() => this.#show()))
  }

  #hear(name, data) {
    if (name === "ticket.withdrawn") {
      for (const item of this.querySelectorAll(`[data-ticket="${CSS.escape(data.ticket.uuid)}"]`))
        item.remove()
      return
    }
    for (const line of lines(name, data)) this.#waiting.push({ data, line })
    this.#show()
  }

  #show() {
    if (this.matches(":hover, :focus-within")) return
    for (const { data, line } of this.#waiting.splice(0)) this.#add(data, line)
  }

  #add({ ticket, timestamp }, line) {
    if (!document.getElementById(`timeline-${line.action}`)) return
    const list = this.querySelector("ol")
    const item = clone("activity", { ticket })
    item.querySelector("ol").append(clone(`timeline-${line.action}`, { ...line, created_at: timestamp }))
    item.classList.add("is-fresh")
    list.prepend(item)
    while (list.children.length > Number(this.dataset.most)) list.lastElementChild.remove()
    const empty = this.querySelector("[data-empty]")
    if (empty) empty.hidden = true
  }
}

customElements.define("activity-list", ActivityList)
