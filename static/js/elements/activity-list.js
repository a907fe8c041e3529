/** <activity-list data-max>: recent activity on all tickets, newest first; does not move while it is in use. */

import { reloadPage } from "../lib/page-config.js"
import { clone } from "../lib/template.js"
import { timelineEntries } from "../lib/timeline.js"
import { live } from "../live/index.js"

const entriesOf = ({ uuid }) => `[data-ticket="${CSS.escape(uuid)}"]`

class ActivityList extends HTMLElement {
  #pending = []

  connectedCallback() {
    live.stream.on("*", (data, name) => this.#onEvent(name, data))
    this.addEventListener("pointerleave", () => this.#show())
    this.addEventListener("focusout", () => setTimeout(() => this.#show()))
  }

  #onEvent(name, data) {
    if (name === "ticket.withdrawn") {
      for (const item of this.querySelectorAll(entriesOf(data.ticket))) item.remove()
      return
    }
    if (name === "ticket.people.updated" && this.querySelector(entriesOf(data.ticket))) reloadPage()
    for (const entry of timelineEntries(name, data)) this.#pending.push({ data, entry })
    this.#show()
  }

  #show() {
    if (this.matches(":hover, :focus-within")) return
    for (const { data, entry } of this.#pending.splice(0)) this.#add(data, entry)
  }

  #add({ ticket, timestamp }, entry) {
    if (!document.getElementById(`timeline-${entry.action}`)) return
    const list = this.querySelector("ol")
    const item = clone("activity", { ticket })
    item.querySelector("ol").append(clone(`timeline-${entry.action}`, { ...entry, created_at: timestamp }))
    item.classList.add("is-fresh")
    list.prepend(item)
    while (list.children.length > Number(this.dataset.max)) list.lastElementChild.remove()
    const empty = this.querySelector("[data-empty]")
    if (empty) empty.hidden = true
  }
}

customElements.define("activity-list", ActivityList)
