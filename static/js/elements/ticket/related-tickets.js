/** <related-tickets data-address>: the related tickets that the user sees, read again when a link or one of them changes. */

import { signalOf } from "../../lib/page-parts/lifetime.js"
import { fill } from "../../lib/template.js"
import { ThrottledTask } from "../../lib/throttled-task.js"
import { live } from "../../live/index.js"

const PERIOD_MS = 1_000
const SPREAD_MS = 300
const CHANGES = new Set(["ticket.updated", "ticket.status.changed", "ticket.withdrawn"])

class RelatedTickets extends HTMLElement {
  /** @type {?object} tickets that are shown when the focus leaves the list */
  #pending = null
  #update = new ThrottledTask(() => this.#load(), {
    period: PERIOD_MS,
    spread: SPREAD_MS,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    const signal = signalOf(this)
    const onEvent = (data, name) => this.#isAffected(data, name) && this.#update.request()
    live.stream.on("*", onEvent, { signal })
    live.stream.on("stream:reset", () => this.#update.request(), { signal })
    live.addEventListener("state", () => this.#update.check(), { signal })
    this.addEventListener("focusout", () => setTimeout(() => this.#showPending()))
    // A removed one is not kept for the focus on its button.
    this.addEventListener(
      "live-form:sent",
      () => this.contains(document.activeElement) && document.activeElement.blur(),
    )
  }

  /** Whether the ticket of the page was linked or unlinked, or a ticket shown has changed or is gone. */
  #isAffected({ ticket, changes = {} }, name) {
    if (!ticket) return false
    if (ticket.uuid === this.closest("ticket-page").dataset.uuid)
      return "linked" in changes || "unlinked" in changes
    return CHANGES.has(name) && this.querySelector(`[data-ticket="${ticket.uuid}"]`) !== null
  }

  async #load() {
    const headers = { Accept: "application/json" }
    const response = await fetch(this.dataset.address, { headers, redirect: "manual" })
    const isGone = response.status === 403 || response.status === 404 // no longer staff of the page's ticket
    if (!isGone && !response.ok) throw new Error(response.statusText)
    this.#pending = isGone ? { related: [] } : await response.json()
    this.#showPending()
  }

  /** Shows what came, unless the focus is on a ticket of the list, which would lose it. */
  #showPending() {
    if (!this.#pending || this.contains(document.activeElement)) return
    fill(this.querySelector("[data-each]"), this.#pending)
    this.#pending = null
  }
}

customElements.define("related-tickets", RelatedTickets)
