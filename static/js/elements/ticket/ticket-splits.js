/** <ticket-splits data-address>: the lines at messages that were split into tickets, read again when one is. */

import { fill } from "../../lib/template.js"
import { ThrottledTask } from "../../lib/throttled-task.js"
import { live } from "../../live/index.js"

class TicketSplits extends HTMLElement {
  #update = new ThrottledTask(() => this.#load(), {
    period: 1_000,
    spread: 300,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    live.stream.on("*", (data, name) => this.#isAffected(data, name) && this.#update.request())
    live.addEventListener("state", () => this.#update.check())
  }

  /** Whether a message was split; customers receive the new ticket only. */
  #isAffected({ ticket, changes = {} }, name) {
    return name === "ticket.created" || ("split" in changes && ticket?.uuid === this.#page.dataset.uuid)
  }

  get #page() {
    return this.closest("ticket-page")
  }

  async #load() {
    const headers = { Accept: "application/json" }
    const response = await fetch(this.dataset.address, { headers, redirect: "manual" })
    if (response.status === 403 || response.status === 404) return // the page says that access has ended
    if (!response.ok) throw new Error(response.statusText)
    const { splits } = await response.json()
    this.#page.keepPosition(() => {
      for (const [id, rows] of Object.entries(splits)) {
        const message =
          id === "opening" ? this.#page.querySelector(".is-opening") : document.getElementById(`reply-${id}`)
        const list = message?.querySelector(".split-lines")
        if (list) fill(list, { splits: rows })
      }
    })
  }
}

customElements.define("ticket-splits", TicketSplits)
