/** <ticket-list data-mode ...>: a live list of tickets whose rows do not move while the list is in use. */

import { FrameBatcher } from "../lib/frame-batcher.js"
import { fetchListedRows, insertListedRows } from "../lib/listed-rows.js"
import { isPersonal } from "../lib/notifications/personal-events.js"
import { config, reloadPage } from "../lib/page-config.js"
import { listAddress } from "../lib/page-parts/list-place.js"
import { RowStates } from "../lib/reading/row-states.js"
import { SearchMatches } from "../lib/search-matches.js"
import { clone, complete, update as fillAgain } from "../lib/template.js"
import { ThrottledTask } from "../lib/throttled-task.js"
import { isInView, matchesFilter } from "../lib/ticket-filter.js"
import { live } from "../live/index.js"

const HIDING = new Set(["ticket.reply.updated", "ticket.reply.edited", "ticket.reply.deleted"])

/**
 * data-mode: "insert": changed tickets move to the top. "stay": an older page, where rows change in place.
 * "place": the server knows where a new ticket belongs, and is asked for its row. "announce": it may change the whole
 * list (a search, another order), so a button reloads it.
 */
class TicketList extends HTMLElement {
  #changed = new FrameBatcher((changed) => this.#draw(changed))
  #pending = new Map()
  #announced = new Set()
  /** @type {?{name: string, data: object}[]} events while the server renders another page of the list */
  #deferred = null
  #states = new RowStates({
    user: config.user,
    fetchRows,
    onLoaded: (uuids) => this.#refreshStates(uuids),
    onLost: (uuids) => uuids.forEach((uuid) => this.#withdraw(uuid)),
    isAllowed: isActive,
  })
  #search = new SearchMatches({
    fetchMatches,
    onFound: (uuids) => this.#announce(uuids),
    isAllowed: isActive,
  })
  #placing = new ThrottledTask(() => this.#placeAnnounced(() => !this.#isInUse), {
    period: 2_000,
    spread: 500,
    isAllowed: isActive,
  })

  connectedCallback() {
    this.#takeRows()
    this.dispatchEvent(new CustomEvent("ticket-list:added", { bubbles: true }))
    document.addEventListener("visibilitychange", () => {
      for (const task of [this.#states, this.#search, this.#placing]) task.check()
    })
    live.stream.on("*", (data, name) => data.ticket && this.#onEvent(name, data))
    live.stream.on("ticket.access.reduced", () => this.#states.askAll())
    live.stream.on("stream:reset", ({ reason }) => reason === "log" && reloadPage())
    this.#rows.addEventListener("pointerleave", () => this.#showPendingIfIdle())
    this.#rows.addEventListener(
      "focusout",
      (event) => this.#rows.contains(event.relatedTarget) || this.#showPendingIfIdle(),
    )
    this.addEventListener("ticket-list:selected", () => this.#showPendingIfIdle())
    this.addEventListener("click", ({ target }) => target.closest("[data-pending]") && this.#show())
  }

  // Another page or filter of the list

  /** Keeps the events from here on: the page that the server is rendering may be older. */
  expectPage() {
    this.#deferred = []
  }

  /** Takes the filter and the rows of another page of the list, and applies the events that came since. */
  showPage(page) {
    for (const name of Object.keys(this.dataset)) delete this.dataset[name]
    Object.assign(this.dataset, page.dataset)
    this.#pending.clear()
    this.#announced.clear()
    this.#search.clear()
    this.#rows.replaceChildren(...page.querySelector("#ticket-rows").children)
    const events = this.#deferred
    this.#deferred = null
    this.#takeRows(events)
    for (const { name, data } of events) if (isNews(data)) this.#onEvent(name, data)
    this.dispatchEvent(new CustomEvent("ticket-list:shown"))
  }

  /** Takes the rows as the server has rendered them; `events` were applied before. */
  #takeRows(events = []) {
    for (const row of this.#rows.children) this.#takeRow(row, events)
  }

  #takeRow(row, events) {
    const { dataset } = completeRow(row)
    const applied = events.map(({ data }) => data).filter((data) => isOf(dataset, data))
    const seq = Math.max(Number(dataset.seq), ...applied.map((data) => data.seq))
    live.stream.setSequence(dataset.uuid, seq, dataset.audience)
    this.#states.set(dataset.uuid, { is_unread: dataset.unread === "true", lastId: dataset.last })
    return row
  }

  get #rows() {
    return this.querySelector("#ticket-rows")
  }

  get #button() {
    return this.querySelector("[data-pending]")
  }

  /** Whether a row has the pointer, however long it rests there, the focus or a selection. */
  get #isInUse() {
    return this.#isPointedAt || this.#rows.contains(document.activeElement) || this.#hasSelection
  }

  /** A touch leaves no pointer behind, though browsers keep :hover until the next one. */
  get #isPointedAt() {
    return matchMedia("(hover: hover)").matches && this.#rows.matches(":hover")
  }

  get #hasSelection() {
    return this.querySelector(".row-check:checked") !== null
  }

  // Events

  #onEvent(name, data) {
    const { ticket } = data
    this.#deferred?.push({ name, data })
    if (this.#states.apply(name, data)) this.#refreshStates([ticket.uuid])
    else if (name === "ticket.read") this.#followMark(ticket.uuid, data.is_unread)
    if (isPersonal(name)) return
    if (name === "ticket.withdrawn") {
      this.#withdraw(ticket.uuid)
      return
    }
    // What a search showed of a reply may have changed, or not be for this user any more.
    if (HIDING.has(name)) document.querySelector(`#ticket-${ticket.uuid} .snippet`)?.remove()
    const row_url = ticket.url + (this.dataset.from ?? "")
    this.#changed.set(ticket.uuid, { ticket, row_url, is_staffed: data.audience === "staff" })
  }

  /** Removes a ticket that the user may not see any more. */
  #withdraw(uuid) {
    this.#changed.delete(uuid)
    this.#pending.delete(uuid)
    this.#announced.delete(uuid)
    this.#search.delete(uuid)
    this.#removeRow(document.getElementById(`ticket-${uuid}`), { keepsPlace: this.#isPointedAt })
    this.#showNumber()
  }

  #draw(changed) {
    for (const update of changed.values()) this.#queue(update)
    this.#showPendingIfIdle()
  }

  #queue(update) {
    const { ticket } = update
    const row = document.getElementById(`ticket-${ticket.uuid}`)
    if (row) this.#refresh(row, update)
    if (this.dataset.mode === "insert" || (row && !this.#matches(ticket)))
      this.#pending.set(ticket.uuid, update)
    else if (!row && this.dataset.mode !== "stay" && this.#matches(ticket)) {
      if (this.dataset.search === "true") this.#search.add(ticket.uuid)
      else this.#announced.add(ticket.uuid)
    }
  }

  /** Announces tickets that the search finds now, unless they were withdrawn meanwhile. */
  #announce(uuids) {
    for (const uuid of uuids) this.#announced.add(uuid)
    this.#showPendingIfIdle()
  }

  #matches(ticket) {
    return matchesFilter(ticket, this.dataset, config.user, this.#states.isRead(ticket.uuid))
  }

  /** Updates a row in place; a ticket that the user can no longer change is deselected. */
  #refresh(row, update) {
    const box = row.querySelector(".row-check")
    if (box?.checked && !update.is_staffed) this.#deselect(row)
    fillAgain(row, update)
  }

  // Pending rows

  /** Shows pending rows if the list is not in use, else their number. */
  #showPendingIfIdle() {
    if (this.#isInUse) {
      this.#showNumber()
      return
    }
    this.#showPending()
    if (this.dataset.mode === "place" && this.#announced.size > 0) this.#placing.request()
  }

  #show() {
    this.#showPending()
    if (this.#announced.size === 0) return
    if (this.dataset.mode === "place") this.#placeAnnounced().catch(showFirstPage)
    else showFirstPage()
  }

  /** Inserts the announced tickets where the server lists them, unless another page is being loaded. */
  async #placeAnnounced(isAllowed = () => true) {
    if (this.#deferred) return
    const asked = [...this.#announced]
    this.expectPage()
    const events = this.#deferred
    const listed = await fetchListedRows().catch(() => null)
    if (this.#deferred !== events) return
    this.#deferred = null
    if (!listed) throw new Error("The rows could not be loaded.")
    if (isAllowed()) this.#insert(listed, asked, events)
  }

  #insert(listed, asked, events) {
    const placed = asked.filter((uuid) => this.#announced.delete(uuid)) // the others were withdrawn
    const isNew = ({ id }) => placed.includes(id.replace("ticket-", ""))
    insertListedRows(this.#rows, listed, isNew, (row) => highlight(this.#takeRow(row, events)))
    for (const { name, data } of events)
      if (placed.includes(data.ticket.uuid) && isNews(data)) this.#onEvent(name, data)
    this.#showNumber()
    this.#showEmpty()
  }

  /** Moves changed tickets to the top, newest first, and removes those that no longer match. */
  #showPending() {
    for (const gap of this.#rows.querySelectorAll(".row-gap")) gap.remove()
    for (const update of this.#pending.values()) this.#place(update)
    this.#pending.clear()
    this.#trim()
    this.#showNumber()
  }

  /** Shows in their rows who wrote last, and whether the user has read it. */
  #refreshStates(uuids) {
    for (const uuid of uuids) {
      const row = document.getElementById(`ticket-${uuid}`)
      if (row) fillAgain(row, this.#states.get(uuid))
      this.#followMark(uuid, !this.#states.isRead(uuid))
    }
  }

  /** In the view of unread tickets, one that was read leaves, and the server says whether one that is unread belongs. */
  #followMark(uuid, isUnread) {
    if (!this.dataset.view?.split(" ").includes("unread")) return
    const row = document.getElementById(`ticket-${uuid}`)
    if (row) {
      const ticket = ticketOf(row)
      if (!isInView(ticket, this.dataset, config.user, !isUnread))
        this.#pending.set(uuid, { ticket, isRead: true })
      else if (this.#pending.get(uuid)?.isRead) this.#pending.delete(uuid)
    } else if (isUnread) {
      this.#search.add(uuid)
    } else {
      this.#announced.delete(uuid)
      this.#search.delete(uuid)
    }
    this.#showPendingIfIdle()
  }

  #place(update) {
    const row = document.getElementById(`ticket-${update.ticket.uuid}`)
    if (!this.#matches(update.ticket)) this.#removeRow(row)
    else if (this.dataset.mode === "insert") this.#rows.prepend(highlight(row ?? this.#newRow(update)))
    this.#showEmpty()
  }

  #newRow(update) {
    const row = clone("ticket-row", { ...update, ...this.#states.get(update.ticket.uuid) })
    row.id = `ticket-${update.ticket.uuid}`
    return row
  }

  /** Keeps a list with data-max to its length. */
  #trim() {
    const most = Number(this.dataset.max ?? Number.POSITIVE_INFINITY)
    while (this.#rows.children.length > most) this.#removeRow(this.#rows.lastElementChild)
  }

  #removeRow(row, { keepsPlace = false } = {}) {
    if (!row) return
    if (row.querySelector(".row-check:checked")) this.#deselect(row)
    const next = row.nextElementSibling ?? row.previousElementSibling
    const hadFocus = row.contains(document.activeElement)
    if (keepsPlace) row.replaceWith(gapFor(row))
    else row.remove()
    if (hadFocus) (next?.querySelector(".row-link") ?? this.querySelector("h1, h2"))?.focus()
    this.#showEmpty()
  }

  /** Deselects a row and notifies the user. */
  #deselect(row) {
    row.querySelector(".row-check").checked = false
    const { reference } = row.dataset
    this.querySelector("[data-notices]")?.append(clone("notice-unselected", { reference }))
    this.dispatchEvent(new CustomEvent("ticket-list:unselected"))
  }

  #showNumber() {
    const number = this.#pending.size + this.#announced.size
    if (!this.#button) return
    this.#button.querySelector("[data-number]").textContent = String(number)
    this.#button.hidden = number === 0
  }

  #showEmpty() {
    const empty = this.querySelector("[data-empty]")
    if (empty) empty.hidden = this.#rows.children.length > 0
  }
}

/** Returns what a row says of its ticket, which the server has rendered. */
function ticketOf({ dataset: { uuid, status, closed, waiting } }) {
  return { uuid, status_id: status, is_closed: closed === "true", waiting_for: waiting }
}

/** Whether an event is of the ticket and the audience of a row. */
function isOf({ uuid, audience }, data) {
  return data.ticket.uuid === uuid && data.audience === audience && Number.isInteger(data.seq)
}

/** Whether the row of its ticket, if there is one, is older than an event. */
function isNews(data) {
  const row = document.getElementById(`ticket-${data.ticket.uuid}`)
  return !row || !isOf(row.dataset, data) || data.seq > Number(row.dataset.seq)
}

const isActive = () => !document.hidden && live.state !== "ended"

async function fetchRows(uuids) {
  return (await fetchJson("/tickets/rows/", ticketsQuery(uuids))).rows
}

/** Returns which of the tickets the search of this page finds. */
async function fetchMatches(uuids) {
  const query = new URLSearchParams(new URL(listAddress()).search)
  for (const [name, uuid] of ticketsQuery(uuids)) query.append(name, uuid)
  return (await fetchJson("/tickets/found/", query)).tickets
}

const ticketsQuery = (uuids) => new URLSearchParams(uuids.map((uuid) => ["ticket", uuid]))

async function fetchJson(path, query) {
  const headers = { Accept: "application/json" }
  const response = await fetch(`${path}?${query}`, { headers, redirect: "manual" })
  if (!response.ok) throw new Error(response.statusText)
  return await response.json()
}

/** Adds what the server has left out of a row, to show changes in it; a search shows a passage instead of the last message. */
function completeRow(row) {
  row.dataset.uuid = row.id.replace("ticket-", "")
  row.dataset.reference = row.querySelector(".reference").textContent
  complete(row, "ticket-row")
  if (row.querySelector(".snippet")) row.querySelector(".row-last").remove()
  return row
}

function highlight(row) {
  row.classList.remove("is-fresh")
  requestAnimationFrame(() => row.classList.add("is-fresh"))
  return row
}

/** Returns an empty row of the same height: the rows below stay under the pointer. */
function gapFor(row) {
  const gap = document.createElement("tr")
  gap.className = "row-gap"
  gap.ariaHidden = "true"
  const cell = gap.insertCell()
  cell.colSpan = row.cells.length
  cell.style.blockSize = `${row.getBoundingClientRect().height}px`
  return gap
}

/** Loads the first page with the same filters. */
function showFirstPage() {
  const address = new URL(listAddress())
  for (const name of ["after", "before"]) address.searchParams.delete(name)
  location.assign(address)
}

customElements.define("ticket-list", TicketList)
