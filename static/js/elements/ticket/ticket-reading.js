/** <ticket-reading data-address data-last-read data-notified>: reports which messages were on the screen, and draws the line above new ones. */

import { csrfToken } from "../../lib/page-config.js"
import { onLeave, signalOf } from "../../lib/page-parts/lifetime.js"
import { SeenMessages } from "../../lib/reading/seen-messages.js"
import { clone } from "../../lib/template.js"
import { ThrottledTask } from "../../lib/throttled-task.js"
import { live } from "../../live/index.js"

const FIRST_MS = 500
const PERIOD_MS = 3_000

class TicketReading extends HTMLElement {
  #list
  #isStopped = false
  /** @type {?HTMLElement} the last message seen that the server does not know of yet */
  #pending = null
  #report = new ThrottledTask(() => this.#send(), {
    period: PERIOD_MS,
    spread: 0,
    isAllowed: () => !this.#isStopped && live.state !== "ended",
  })

  connectedCallback() {
    const signal = signalOf(this)
    this.#list = document.getElementById("replies")
    const messages = new SeenMessages(document.querySelector(".conversation"), {
      edges: () => this.#edges,
      onSeen: (message) => this.#onSeen(message),
      signal,
    })
    messages.start()
    new MutationObserver((records) => this.#onAdded(records)).observe(this.#list, { childList: true })
    this.addEventListener("submit", () => {
      this.#isStopped = true // reading on would undo it
    })
    live.stream.on("ticket.read", (data) => this.#onRead(data), { signal })
    live.stream.on("ticket.notified", (data) => this.#onNotified(data), { signal })
    document.addEventListener("visibilitychange", () => this.#readTicket(), { signal })
    this.#readTicket()
    live.addEventListener("state", () => this.#report.check(), { signal })
    onLeave(this, () => this.#sendLast())
  }

  /** What of the window shows the conversation: not what sticks to its upper edge, nor the dock. */
  get #edges() {
    const top = Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0
    const dock = document.querySelector(".dock")?.getBoundingClientRect().top ?? innerHeight
    return { top, bottom: Math.min(dock, innerHeight) }
  }

  #onSeen(message) {
    // Others listen for it: "message:seen" bubbles from the message.
    message.dispatchEvent(new CustomEvent("message:seen", { bubbles: true }))
    if (message.matches(".is-own")) return // the server moves the mark over these
    if (!isAfter(message, this.#lastRead) || !isAfter(message, this.#pending)) return
    this.#pending = message
    setTimeout(() => this.#report.request(), FIRST_MS)
  }

  /** The message up to which the server knows; null if this page does not show it. */
  get #lastRead() {
    const id = this.dataset.lastRead
    return id ? document.getElementById(`reply-${id}`) : null
  }

  async #send() {
    const message = this.#take()
    if (!message) return
    const response = await fetch(this.dataset.address, {
      method: "POST",
      body: this.#body(message),
      redirect: "manual",
    })
    if (response.ok) return
    if (response.status >= 500 || response.status === 429) {
      this.#pending ??= message
      throw new Error(response.statusText)
    }
  }

  /** The page is left: what is not reported yet goes along. */
  #sendLast() {
    if (this.#isStopped || live.state === "ended") return
    const message = this.#take()
    if (message) navigator.sendBeacon(this.dataset.address, this.#body(message))
  }

  #take() {
    const message = this.#pending
    this.#pending = null
    return message
  }

  #body(message) {
    const body = new FormData()
    body.set("reply", message.id.replace("reply-", ""))
    body.set("csrfmiddlewaretoken", csrfToken())
    return body
  }

  /** Another tab or device of the user's has read on. */
  #onRead({ ticket, last_read, is_unread }) {
    if (ticket.uuid !== this.closest("ticket-page").dataset.uuid) return
    this.dataset.lastRead = last_read?.id ?? ""
    if (!is_unread && document.hidden) this.#line?.remove()
  }

  /** The page shows a change of the ticket itself, such as its assignment. */
  #onNotified({ ticket, reply }) {
    if (ticket.uuid !== this.closest("ticket-page").dataset.uuid || reply !== null) return
    this.dataset.notified = "true"
    this.#readTicket()
  }

  #readTicket() {
    if (this.dataset.notified !== "true" || document.hidden || live.state === "ended") return
    this.dataset.notified = "false"
    const body = new FormData()
    body.set("csrfmiddlewaretoken", csrfToken())
    fetch(this.dataset.address, { method: "POST", body, redirect: "manual" }).catch(() => {
      this.dataset.notified = "true"
    })
  }

  // The line above new messages

  get #line() {
    return this.#list.querySelector(".new-line")
  }

  /** Draws the line above the first message that comes while the page is not looked at; the user's own reply ends it. */
  #onAdded(records) {
    const added = records.flatMap(({ addedNodes }) => [...addedNodes])
    for (const message of added.filter((node) => node instanceof HTMLElement && node.matches(".reply"))) {
      if (message !== [...this.#list.querySelectorAll(":scope > .reply")].at(-1)) continue // earlier replies were loaded
      if (message.matches(".is-own")) this.#line?.remove()
      else if (document.hidden && !this.#line) message.before(clone("new-line", {}))
    }
  }
}

/** Returns whether a message stands after another one, or that one is not on this page. */
function isAfter(message, other) {
  return other === null || Boolean(other.compareDocumentPosition(message) & Node.DOCUMENT_POSITION_FOLLOWING)
}

customElements.define("ticket-reading", TicketReading)
