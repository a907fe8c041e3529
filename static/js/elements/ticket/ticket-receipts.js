/** <ticket-receipts data-address>: shows what became of each message. */

import { signalOf } from "../../lib/page-parts/lifetime.js"
import { fill } from "../../lib/template.js"
import { ThrottledTask } from "../../lib/throttled-task.js"
import { live } from "../../live/index.js"

const PERIOD_MS = 2_000
const SPREAD_MS = 300
const CHANGES = new Set([
  "ticket.receipts.updated",
  "ticket.mail.updated",
  "ticket.reply.created",
  "ticket.reply.updated",
])

class TicketReceipts extends HTMLElement {
  #update = new ThrottledTask(() => this.#load(), {
    period: PERIOD_MS,
    spread: SPREAD_MS,
    isAllowed: () => live.state !== "ended",
  })

  connectedCallback() {
    const { uuid } = this.closest("ticket-page").dataset
    const signal = signalOf(this)
    const onEvent = ({ ticket }, name) => {
      if (ticket?.uuid === uuid && CHANGES.has(name)) this.#update.request()
    }
    live.stream.on("*", onEvent, { signal })
    live.addEventListener("state", () => this.#update.check(), { signal })
  }

  async #load() {
    if (!this.isConnected) return
    const oldest = document.querySelector("#replies > .reply")?.id.replace("reply-", "") ?? ""
    const response = await fetch(`${this.dataset.address}?oldest=${oldest}`, {
      headers: { Accept: "application/json" },
      redirect: "manual",
    })
    if (response.status === 404) return // deleted meanwhile
    if (!response.ok) throw new Error(response.statusText)
    const { receipts } = await response.json()
    this.closest("ticket-page")?.keepPosition(() => {
      for (const [id, html] of Object.entries(receipts)) show(id, html)
    })
  }
}

/** Shows a receipt; one that is open, or has the focus, stays so. */
function show(id, html) {
  const message =
    id === "opening" ? document.querySelector(".is-opening") : document.getElementById(`reply-${id}`)
  const place = message?.querySelector(".receipt")
  if (!place || place.dataset.shown === html) return
  const isOpen = place.querySelector("details")?.open ?? false
  const hadFocus = place.contains(document.activeElement)
  fill(place, { receipt_html: html })
  place.dataset.shown = html
  const details = place.querySelector("details")
  if (details) details.open = isOpen
  if (hadFocus) details?.querySelector("summary").focus({ preventScroll: true })
}

customElements.define("ticket-receipts", TicketReceipts)
