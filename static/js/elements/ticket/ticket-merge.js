/** <ticket-merge data-address>: where a merged ticket goes on, and those merged into it, read again when that changes. */

import { fill, update } from "../../lib/template.js"
import { ThrottledTask } from "../../lib/throttled-task.js"
import { live } from "../../live/index.js"

const PERIOD_MS = 1_000
const SPREAD_MS = 300
// Who merged a ticket into this one is in no event of this one: its readers may not see the other.
const CHANGES = new Set(["ticket.updated", "ticket.status.changed", "ticket.withdrawn"])

class TicketMerge extends HTMLElement {
  #shown = ""
  #update = new ThrottledTask(() => this.#load(), {
    period: PERIOD_MS,
    spread: SPREAD_MS,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    live.stream.on("*", (data, name) => this.#isAffected(data, name) && this.#update.request())
    live.stream.on("stream:reset", () => this.#update.request())
    live.addEventListener("state", () => this.#update.check())
    this.addEventListener("toggle", ({ target }) => this.#onToggle(target), { capture: true })
  }

  /** Whether a ticket was merged or the merge ended, as far as an event says so, or one that is shown is gone. */
  #isAffected({ ticket, changes = {} }, name) {
    if (!ticket || !CHANGES.has(name)) return false
    if ("merged" in changes || "unmerged" in changes || name === "ticket.status.changed") return true
    return name === "ticket.withdrawn" && this.querySelector(`[data-ticket="${ticket.uuid}"]`) !== null
  }

  async #load() {
    const data = await read(this.dataset.address)
    const shown = JSON.stringify(data)
    if (!data || shown === this.#shown) return
    this.#shown = shown
    const open = new Set([...this.querySelectorAll("details[open]")].map(({ dataset }) => dataset.ticket))
    this.closest("ticket-page").keepPosition(() => {
      for (const part of this.children) if (part.localName !== "template") fill(part, data)
      for (const details of this.querySelectorAll("details")) details.open = open.has(details.dataset.ticket)
      this.#showComposer(!data.merge.is_merged)
    })
  }

  /** Hides the composer of a merged ticket, unless something is written in it: the server says why it refuses that. */
  #showComposer(isShown) {
    const dock = this.closest("ticket-page").querySelector(".dock")
    dock.hidden = !isShown && !dock.contains(document.activeElement) && !dock.querySelector("textarea").value
  }

  async #onToggle(details) {
    if (!details.open || details.ariaBusy) return
    details.ariaBusy = "true"
    try {
      const messages = await read(`/tickets/${details.dataset.ticket}/messages/`)
      update(details.querySelector(".merged-body"), messages)
    } catch {
      details.querySelector("[data-unloaded]").hidden = false
    } finally {
      details.ariaBusy = null
    }
  }
}

async function read(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, redirect: "manual" })
  if (response.status === 403 || response.status === 404) return null // the page says that access has ended
  if (!response.ok) throw new Error(response.statusText)
  return await response.json()
}

customElements.define("ticket-merge", TicketMerge)
