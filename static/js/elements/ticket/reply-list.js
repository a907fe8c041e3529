/** <reply-list>: a page of replies. Loads earlier ones above it, and leads to replies on other pages. */

import { changesItem } from "../../lib/change-lines.js"
import { config } from "../../lib/page-config.js"
import { signalOf } from "../../lib/page-parts/lifetime.js"
import { clone } from "../../lib/template.js"
import { live } from "../../live/index.js"

/** Returns a new list item of `reply`. */
export function replyItem(reply) {
  const item = clone("reply", reply)
  item.id = `reply-${reply.id}`
  item.classList.toggle("is-own", reply.user.id === config.user)
  return item
}

class ReplyList extends HTMLElement {
  // Changes to replies that are being loaded: the answer may be older than the event. Null: deleted.
  #changes = new Map()

  connectedCallback() {
    this.#link.addEventListener("click", (event) => this.#onClick(event))
    const signal = signalOf(this)
    const onUpdated = ({ reply }) => this.#change(reply.id, visibilityOf(reply))
    live.stream.on("ticket.reply.updated", onUpdated, { signal })
    live.stream.on("ticket.reply.edited", ({ reply }) => this.#change(reply.id, textOf(reply)), { signal })
    live.stream.on("ticket.reply.deleted", ({ reply }) => this.#changes.set(reply.id, null), { signal })
    addEventListener("hashchange", () => this.#showNamedReply(), { signal })
    this.#showNamedReply()
  }

  /** Whether there are earlier replies that are not shown. */
  get hasEarlier() {
    return !this.#link.parentElement.hidden
  }

  /** The address of the page that ends with the latest reply; null on that page. */
  get latestPage() {
    return this.querySelector("#latest-replies")?.href ?? null
  }

  get #link() {
    return this.querySelector("#earlier-replies")
  }

  #change(id, values) {
    this.#changes.set(id, { ...this.#changes.get(id), ...values })
  }

  #onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens a page of its own
    event.preventDefault()
    if (this.ariaBusy !== "true") this.#loadEarlier()
  }

  async #loadEarlier() {
    const error = this.#link.nextElementSibling
    this.ariaBusy = "true"
    error.hidden = true
    this.#changes.clear()
    try {
      const { thread, earlier } = await this.#fetchEarlier()
      this.#prepend(thread)
      this.#setCursor(earlier)
    } catch {
      error.hidden = false
    } finally {
      this.ariaBusy = "false"
    }
  }

  async #fetchEarlier() {
    const { search } = new URL(this.#link.href)
    const headers = { Accept: "application/json" }
    const response = await fetch(this.#link.dataset.address + search, { headers, redirect: "manual" })
    if (!response.ok) throw new Error(response.statusText)
    return await response.json()
  }

  /** Inserts replies and changes above the shown ones, which stay where they are on the screen. */
  #prepend(thread) {
    const list = this.querySelector("#replies")
    const first = list.firstElementChild
    const before = first?.getBoundingClientRect().top
    if (!this.isConnected) return
    list.prepend(...thread.flatMap((item) => this.#itemsOf(item)))
    if (first) scrollBy({ top: first.getBoundingClientRect().top - before, behavior: "instant" })
  }

  #itemsOf({ reply, changes }) {
    const items = changes.length > 0 ? [changesItem(changes)] : []
    if (reply && this.#changes.get(reply.id) !== null && !document.getElementById(`reply-${reply.id}`))
      items.push(replyItem({ ...reply, ...this.#changes.get(reply.id) }))
    return items
  }

  #setCursor(earlier) {
    this.#link.href = `?before=${encodeURIComponent(earlier)}`
    if (earlier) return
    const hadFocus = document.activeElement === this.#link
    this.#link.parentElement.hidden = true
    const first = this.querySelector("#replies > .reply")
    if (!hadFocus || !first) return
    first.tabIndex = -1
    first.focus({ preventScroll: true })
  }

  /** Opens the page with the reply that the address names, if it is not on this one. */
  #showNamedReply() {
    const id = location.hash.match(/^#reply-([0-9a-f-]{36})$/)?.[1]
    const named = new URLSearchParams(location.search).get("reply")
    if (id && id !== named && !document.getElementById(`reply-${id}`))
      location.replace(`?reply=${id}${location.hash}`)
  }
}

function visibilityOf({ is_internal, version, can_be_hidden }) {
  return { is_internal, version, can_be_hidden }
}

/** A text that was too long for its event comes with the answer, or with the page that is loaded next. */
function textOf({ message_html, version, edited_at, truncated }) {
  return truncated ? { edited_at } : { message_html, version, edited_at }
}

customElements.define("reply-list", ReplyList)
