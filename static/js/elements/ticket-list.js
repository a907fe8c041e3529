/** <ticket-list data-mode ...>: rows that come, change and go, never under the hand of who reads or selects them. */

import { Latest } from "../lib/frame-batcher.js"
import { config, renew } from "../lib/page-config.js"
import { clone, fill } from "../lib/template.js"
import { belongs } from "../lib/ticket-filter.js"
import { live } from "../live/index.js"

const REST_MS = 2_000

/**
 * data-mode: "insert": what changes comes to the top. "stay": an older page, where rows change in their place.
 * "announce": only the server knows where a change belongs (a search, another order), so a button leads to it.
 */
class TicketList extends HTMLElement {
  #changed = new Latest((changed) => this.#draw(changed))
  #held = new Map()
  #announced = new Set()
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
    this.addEventListener("ticket-list:selected", () => this.#letGo())
    this.#button?.addEventListener("click", () => this.#show())
  }

  get #rows() {
    return this.querySelector("#ticket-rows")
  }

  get #button() {
    return this.querySelector("[data-held]")
  }

  /** Someone's hand is on a row, or has just been, or has tabbed to one, or has selected some: they stay there. */
  get #isInUse() {
    const isPointedAt = this.#rows.matches(":hover") && performance.now() - this.#movedAt < REST_MS
    return isPointedAt || this.#rows.contains(document.activeElement) || this.#hasSelection
  }

  get #hasSelection() {
    return this.querySelector(".row-check:checked") !== null
  }

  // What is heard

  #hear(name, data) {
    const { ticket } = data
    if (name === "ticket.withdrawn") {
      this.#changed.delete(ticket.uuid)
      this.#held.delete(ticket.uuid)
      this.#announced.delete(ticket.uuid)
      this.#takeOut(document.getElementById(`ticket-${ticket.uuid}`))
      this.#showNumber()
      return
    }
    this.#changed.set(ticket.uuid, { ticket, is_staffed: data.audience === "staff" })
  }

  #draw(changed) {
    for (const news of changed.values()) this.#take(news)
    this.#letGo()
  }

  #take(news) {
    const { ticket } = news
    const row = document.getElementById(`ticket-${ticket.uuid}`)
    if (row) this.#refresh(row, news)
    if (this.dataset.mode === "insert" || (row && !this.#wants(ticket))) this.#held.set(ticket.uuid, news)
    else if (!row && this.dataset.mode === "announce" && this.#wants(ticket)) this.#announced.add(ticket.uuid)
  }

  #wants(ticket) {
    return belongs(ticket, this.dataset, config.user)
  }

  /** Shows the row's ticket as it is now, in its place; what one may no longer change is no longer selected. */
  #refresh(row, news) {
    const box = row.querySelector(".row-check")
    if (box?.checked && !news.is_staffed) this.#unselect(row)
    fill(row, news)
  }

  // When it is shown

  #moved() {
    this.#movedAt = performance.now()
  }

  /** Shows what came meanwhile if the list is not in use, and looks again when a resting hand may be ignored. */
  #letGo() {
    clearTimeout(this.#later)
    if (!this.#isInUse) {
      this.#showHeld()
      return
    }
    this.#showNumber()
    this.#later = setTimeout(() => this.#letGo(), REST_MS)
  }

  #show() {
    this.#showHeld()
    if (this.#announced.size > 0) showFirstPage()
  }

  /** Puts what has changed on top, the newest first, and takes out what is no longer of this view. */
  #showHeld() {
    for (const news of this.#held.values()) this.#place(news)
    this.#held.clear()
    this.#trim()
    this.#showNumber()
  }

  #place(news) {
    const row = document.getElementById(`ticket-${news.ticket.uuid}`)
    if (!this.#wants(news.ticket)) this.#takeOut(row)
    else if (this.dataset.mode === "insert") this.#rows.prepend(freshen(row ?? newRow(news)))
    this.#showEmpty()
  }

  /** Some lists show the latest few only. */
  #trim() {
    const most = Number(this.dataset.most ?? Number.POSITIVE_INFINITY)
    while (this.#rows.children.length > most) this.#takeOut(this.#rows.lastElementChild)
  }

  #takeOut(row) {
    if (!row) return
    if (row.querySelector(".row-check:checked")) this.#unselect(row)
    const next = row.nextElementSibling ?? row.previousElementSibling
    const hadFocus = row.contains(document.activeElement)
    row.remove()
    if (hadFocus) (next?.querySelector(".row-link") ?? this.querySelector("h1, h2"))?.focus()
    this.#showEmpty()
  }

  /** Takes a row out of the selection, and says so. */
  #unselect(row) {
    row.querySelector(".row-check").checked = false
    const reference = row.querySelector(".reference").textContent
    this.querySelector("[data-news]")?.append(clone("news-unselected", { reference }))
    this.dispatchEvent(new CustomEvent("ticket-list:unselected"))
  }

  #showNumber() {
    const number = this.#held.size + this.#announced.size
    if (!this.#button) return
    this.#button.querySelector("[data-number]").textContent = String(number)
    this.#button.hidden = number === 0
  }

  #showEmpty() {
    const empty = this.querySelector("[data-empty]")
    if (empty) empty.hidden = this.#rows.children.length > 0
  }
}

function newRow(news) {
  const row = clone("ticket-row", news)
  row.id = `ticket-${news.ticket.uuid}`
  return row
}

function freshen(row) {
  row.classList.remove("is-fresh")
  requestAnimationFrame(() => row.classList.add("is-fresh"))
  return row
}

/** Loads the list anew where it begins; what it was asked for stays. */
function showFirstPage() {
  const address = new URL(location.href)
  for (const name of ["after", "before"]) address.searchParams.delete(name)
  location.assign(address)
}

customElements.define("ticket-list", TicketList)
