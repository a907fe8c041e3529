/** <customer-notes data-person>: the notes about a customer, read again when they change. */

import { signalOf } from "../lib/page-parts/lifetime.js"
import { fill } from "../lib/template.js"
import { ThrottledTask } from "../lib/throttled-task.js"
import { live } from "../live/index.js"

const PERIOD_MS = 1_000
const SPREAD_MS = 300

class CustomerNotes extends HTMLElement {
  /** @type {?object} notes that are shown when the focus leaves the list */
  #pending = null
  #update = new ThrottledTask(() => this.#load(), {
    period: PERIOD_MS,
    spread: SPREAD_MS,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    const channel = `private-customers.${this.dataset.person}`
    const signal = signalOf(this)
    const onUpdated = ({ customer }) => customer.id === this.dataset.person && this.#update.request()
    const onRefused = ({ detail }) => detail.channel === channel && this.#show(nothing)
    live.stream.on("customer.notes.updated", onUpdated, { signal })
    live.stream.on("stream:reset", () => this.#update.request(), { signal })
    live.addEventListener("state", () => this.#update.check(), { signal })
    live.addEventListener("refused", onRefused, { signal })
    live.follow(channel, this.closest("ticket-page")?.dataset.cursor)
    signal.addEventListener("abort", () => live.unfollow(channel))
    this.addEventListener("focusout", () => setTimeout(() => this.#showPending()))
  }

  async #load() {
    const headers = { Accept: "application/json" }
    const response = await fetch(`/people/${this.dataset.person}/notes/`, { headers, redirect: "manual" })
    if (response.status !== 404 && !response.ok) throw new Error(response.statusText)
    this.#pending = response.ok ? await response.json() : nothing
    this.#showPending()
  }

  #showPending() {
    if (this.#pending && !this.contains(document.activeElement)) this.#show(this.#pending)
  }

  #show(notes) {
    this.#pending = null
    fill(this.querySelector("[data-each]"), notes)
  }
}

const nothing = { notes: [], latest: [] }

customElements.define("customer-notes", CustomerNotes)
