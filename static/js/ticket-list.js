/** <ticket-list data-view data-status-name>: rows that come, change and go, never under the hand of who reads them. */

import { clone, fill } from "./fragment.js"
import { live } from "./live.js"
import { renew } from "./page.js"

const REST_MS = 2_000

class TicketList extends HTMLElement {
  #held = new Map()
  #later = 0
  #movedAt = Number.NEGATIVE_INFINITY

  connectedCallback() {
    for (const { dataset } of this.#rows.children) {
      live.stream.know(dataset.uuid, Number(dataset.seq), dataset.audience)
    }
    live.stream.on("*", (data, name) => data.ticket && this.#hear(name, data))
    live.stream.on("stream:reset", ({ reason }) => reason === "log" && renew())
    for (const name of ["pointermove", "pointerdown"]) this.#rows.addEventListener(name, () => this.#moved())
    this.#rows.addEventListener("pointerleave", () => this.#letGo())
    this.#rows.addEventListener(
      "focusout",
      (event) => this.#rows.contains(event.relatedTarget) || this.#letGo(),
    )
    this.#button?.addEventListener("click", () => this.#showHeld())
  }

  get #rows() {
    return this.querySelector("#ticket-rows")
  }

  get #button() {
    return this.querySelector("#held-updates")
  }

  /** Someone's hand is on a row, or has just been, or has tabbed to one: what is under the hand stays where it is. */
  get #isInUse() {
    const isPointedAt = this.#rows.matches(":hover") && performance.now() - this.#movedAt < REST_MS
    return isPointedAt || this.#rows.contains(document.activeElement)
  }

  #hear(name, { ticket }) {
    if (name === "ticket.withdrawn") {
      this.#remove(ticket.uuid)
      return
    }
    const row = document.getElementById(`ticket-${ticket.uuid}`)
    if (row) fill(row, { ticket })
    this.#held.set(ticket.uuid, ticket)
    this.#letGo()
  }

  #moved() {
    this.#movedAt = performance.now()
  }

  /** Shows what came meanwhile if the list is not in use, and looks again when a resting hand may be ignored. */
  #letGo() {
    if (!this.#isInUse) {
      this.#showHeld()
      return
    }
    this.#showCount()
    clearTimeout(this.#later)
    this.#later = setTimeout(() => this.#letGo(), REST_MS)
  }

  /** Puts what has changed on top, the newest first, and takes out what is no longer of this view. */
  #showHeld() {
    for (const ticket of this.#held.values()) this.#place(ticket)
    this.#held.clear()
    this.#showCount()
  }

  #place(ticket) {
    const row = document.getElementById(`ticket-${ticket.uuid}`)
    if (!this.#matches(ticket)) row?.remove()
    else if (row || this.#isFirstPage) this.#rows.prepend(this.#freshen(row ?? newRow(ticket)))
    this.#showEmpty()
  }

  #freshen(row) {
    row.classList.remove("is-fresh")
    requestAnimationFrame(() => row.classList.add("is-fresh"))
    return row
  }

  #remove(uuid) {
    this.#held.delete(uuid)
    document.getElementById(`ticket-${uuid}`)?.remove()
    this.#showCount()
    this.#showEmpty()
  }

  #matches(ticket) {
    const { view, statusName } = this.dataset
    if (view === "all") return true
    return statusName ? ticket.status === statusName : !ticket.is_closed
  }

  get #isFirstPage() {
    return (new URLSearchParams(location.search).get("page") ?? "1") === "1"
  }

  #showCount() {
    const button = this.#button
    if (!button) return
    button.querySelector("[data-count]").textContent = String(this.#held.size)
    button.hidden = this.#held.size === 0
  }

  #showEmpty() {
    const empty = this.querySelector("[data-empty]")
    if (empty) empty.hidden = this.#rows.children.length > 0
  }
}

function newRow(ticket) {
  const row = clone("ticket-row", { ticket })
  row.id = `ticket-${ticket.uuid}`
  return row
}

customElements.define("ticket-list", TicketList)
