/**
 * <split-view data-shows="list | ticket" [data-list]>: on wide screens the list, and beside it the ticket that was chosen
 * there, whose address the page takes. Either half is the other page's own: it is loaded as that page, and its part taken.
 */

import { showList } from "../behaviors/list-filters.js"
import { fetchFreshPage } from "../lib/page-parts/fresh-page.js"
import { LIST_PATH, listAddress, setListAddress, whenListed } from "../lib/page-parts/list-place.js"
import { clone } from "../lib/template.js"

const WIDE = "(width >= 75rem)"
const REST_MS = 350
const TICKET_PATH = /^\/tickets\/([0-9a-f-]{36})\/$/
const FIELDS = "input, textarea, select, dialog"

class SplitView extends HTMLElement {
  #wide = matchMedia(WIDE)
  #loading = new AbortController()
  #resting = null
  #listTitle = document.title

  connectedCallback() {
    this.addEventListener("click", (event) => this.#onClick(event))
    this.addEventListener("row:chosen", ({ target }) => this.#openSoon(target.href))
    document.addEventListener("keydown", (event) => this.#onKeydown(event))
    document.addEventListener("page:visit", (event) => this.#onVisit(event))
    document.addEventListener("list:visited", () => this.#close())
    addEventListener("popstate", () => this.#onTravel())
    this.#wide.addEventListener("change", () => this.#fillHalves())
    whenListed((list) => this.#watchRows(list))
    this.#fillHalves()
  }

  get #pane() {
    return this.querySelector(":scope > .pane")
  }

  get #list() {
    return this.querySelector(":scope > .tickets")
  }

  get #shown() {
    return this.#pane.querySelector("ticket-page")?.dataset.uuid ?? null
  }

  // What leads to another ticket

  #onClick(event) {
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    const link = event.target.closest("a[href]")
    if (!link || !isPlain || event.defaultPrevented || !this.#wide.matches) return
    if (link.matches("[data-place=list]")) this.#returnToRow()
    else if (link.matches(".row-link, [data-place], [data-retry]"))
      this.#open(link.href, { takesFocus: true })
    else if (link.matches("#access-ended a")) this.#visitList(listAddress())
    else return
    event.preventDefault()
  }

  /** Escape leads from the ticket to its row; in a field it first leaves that. */
  #onKeydown(event) {
    const isBusy =
      event.defaultPrevented || event.target.closest(FIELDS) || document.querySelector("dialog:modal")
    if (event.key !== "Escape" || isBusy || !this.#shown || !this.#wide.matches) return
    if (!this.#list?.contains(document.activeElement)) this.#returnToRow()
  }

  #onVisit(event) {
    if (!this.#wide.matches) return
    const { pathname, href } = new URL(event.detail.address, location.href)
    if (TICKET_PATH.test(pathname)) this.#open(href, { takesFocus: true })
    else if (pathname === LIST_PATH && this.#list) this.#visitList(href)
    else return
    event.preventDefault()
  }

  /** Opens a ticket once the keys rest on its row: those that were passed are neither loaded nor read. */
  #openSoon(address) {
    clearTimeout(this.#resting)
    if (this.#wide.matches) this.#resting = setTimeout(() => this.#open(address), REST_MS)
  }

  /** Back or forward: the list and the ticket of that moment. */
  #onTravel() {
    if (!TICKET_PATH.test(location.pathname)) {
      if (location.pathname === LIST_PATH) this.#close()
      return
    }
    const list = history.state?.list
    if (list && this.#list && list !== listAddress()) showList(list)
    this.#open(location.href, { isNew: false })
  }

  // The ticket

  async #open(address, { takesFocus = false, isNew = true } = {}) {
    clearTimeout(this.#resting)
    this.#loading.abort()
    this.#loading = new AbortController()
    const { signal } = this.#loading
    const uuid = new URL(address).pathname.match(TICKET_PATH)?.[1]
    if (uuid !== this.#shown) {
      this.#pane.ariaBusy = "true"
      const part = await this.#load(address, signal).catch((error) => this.#failed(address, error))
      await this.#settled()
      if (signal.aborted) return
      this.#show(part, { isNew })
    }
    this.#pane.ariaBusy = "false"
    if (takesFocus) this.#focusTicket()
  }

  /** Returns the part of the ticket's page, with its title and address; what the server says if it shows no ticket. */
  async #load(address, signal) {
    const { page, address: found, cursor } = await fetchFreshPage(address, signal)
    const part = page.querySelector(".pane") ?? page.querySelector("main")
    const ticket = part.querySelector("ticket-page")
    if (ticket) ticket.dataset.cursor = cursor
    const notices = part.closest("main").querySelector(":scope > .notices")
    const children = [notices, ...part.children].filter(Boolean)
    return {
      address: found,
      title: page.title,
      children: children.map((child) => document.importNode(child, true)),
    }
  }

  #failed(address, error) {
    return {
      address,
      title: this.#listTitle,
      children: error.name === "AbortError" ? [] : [clone("pane-failed", { address: pathOf(address) })],
    }
  }

  /** Waits until a message that is being sent has been answered: its form shows what became of it. */
  #settled() {
    const form = this.#pane.querySelector("form.composer[aria-busy=true]")
    return (
      form && new Promise((resolve) => form.addEventListener("live-form:settled", resolve, { once: true }))
    )
  }

  /** The ticket that was shown ends before the address changes, by which links within a ticket find it. */
  #show({ address, title, children }, { isNew }) {
    this.#pane.replaceChildren()
    if (isNew) history.pushState({ list: listAddress() }, "", address)
    document.title = title
    scrollTo({ top: 0, behavior: "instant" })
    this.#pane.replaceChildren(...children)
    for (const element of this.#pane.querySelectorAll("[data-nojs]")) element.hidden = true
    this.#mark()
  }

  #close() {
    this.#loading.abort()
    clearTimeout(this.#resting)
    this.#pane.ariaBusy = "false"
    this.#pane.replaceChildren(clone("pane-empty", {}))
    document.title = this.#listTitle
    this.#mark()
  }

  #focusTicket() {
    const heading = this.#pane.querySelector("h1")
    if (!heading) return
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
  }

  // The list

  /** Shows on wide screens what the server has not rendered. */
  #fillHalves() {
    if (!this.#wide.matches) return
    if (this.dataset.shows === "ticket" && !this.#list) this.#loadList()
    if (this.#pane.childElementCount === 0) this.#pane.append(clone("pane-empty", {}))
  }

  async #loadList() {
    const address = history.state?.list ?? this.dataset.list
    try {
      const { page } = await fetchFreshPage(address, new AbortController().signal)
      if (this.#list) return
      setListAddress(address)
      history.replaceState({ list: listAddress() }, "")
      this.#listTitle = page.title
      const list = document.importNode(page.querySelector(".tickets"), true)
      for (const element of list.querySelectorAll("[data-nojs]")) element.hidden = true
      this.prepend(list)
    } catch {
      // The ticket is there, with the way to the list as a page.
    }
  }

  #visitList(address) {
    history.pushState(null, "", address)
    this.#close()
    if (address !== listAddress()) showList(address)
    this.#list.querySelector("h1").focus({ preventScroll: true })
  }

  #returnToRow() {
    const row = this.querySelector(".row-link[aria-current]") ?? this.querySelector("ticket-list h1")
    row?.focus()
  }

  #watchRows(list) {
    const rows = list.querySelector("#ticket-rows")
    new MutationObserver(() => this.#mark()).observe(rows, { childList: true })
    this.#mark()
  }

  /** Marks the row of the ticket that is shown. */
  #mark() {
    const shown = this.#shown
    this.dataset.shows = this.#pane.querySelector(":scope > :not(.pane-note)") ? "ticket" : "list"
    for (const link of this.querySelectorAll(".row-link[aria-current]")) link.removeAttribute("aria-current")
    const row = shown && this.querySelector(`#ticket-${CSS.escape(shown)} .row-link`)
    row?.setAttribute("aria-current", "true")
  }
}

function pathOf(address) {
  const { pathname, search } = new URL(address)
  return pathname + search
}

customElements.define("split-view", SplitView)
