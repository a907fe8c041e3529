/** <message-links>: quotes a message in the composer, and copies the link to it. Without scripts its links lead there. */

import { serverNow } from "../../lib/server-clock.js"

const COPIED_MS = 3_000

class MessageLinks extends HTMLElement {
  // Once: a published note is moved to the end, and connected again.
  constructor() {
    super()
    this.addEventListener("click", (event) => this.#onClick(event))
    this.addEventListener("keydown", (event) => event.key === " " && this.#onClick(event))
  }

  connectedCallback() {
    // A message that arrived live: its template knows no address.
    const reply = this.closest("[id^=reply-]")
    if (reply) {
      const id = reply.id.slice("reply-".length)
      this.#quote.href = `?quote=${id}#id_message`
      this.#copy.href = `${location.pathname}?reply=${id}#${reply.id}`
      const split = this.querySelector("[data-split]")
      if (split) split.href = `${location.pathname}split/?reply=${id}`
      this.#offerEdit(reply, id)
    }
    for (const link of [this.#quote, this.#copy]) link.setAttribute("role", "button")
  }

  /** Shows the link to the form while the author can edit the message; the server decides. */
  #offerEdit(reply, id) {
    const link = this.querySelector("[data-edit]")
    link.href = `${location.pathname}replies/${id}/edit/`
    const left = Date.parse(link.dataset.until) - serverNow()
    link.hidden = !(reply.classList.contains("is-own") && left > 0)
    if (!link.hidden)
      setTimeout(() => {
        link.hidden = true
      }, left)
  }

  get #quote() {
    return this.querySelector("[data-quote]")
  }

  get #copy() {
    return this.querySelector("[data-copy]")
  }

  #onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    if (this.#quote.contains(event.target)) this.#onQuote(event)
    // Pages without TLS have no clipboard: the link leads to the message, whose address can be copied.
    if (this.#copy.contains(event.target) && navigator.clipboard) this.#onCopy(event)
  }

  async #onCopy(event) {
    event.preventDefault()
    const state = this.querySelector("[data-copied]")
    try {
      await navigator.clipboard.writeText(this.#copy.href)
    } catch {
      location.href = this.#copy.href
      return
    }
    state.textContent = state.dataset.copied
    setTimeout(() => {
      state.textContent = ""
    }, COPIED_MS)
  }

  async #onQuote(event) {
    event.preventDefault()
    const composer = document.querySelector("ticket-composer")
    const text = this.#selected || (await this.#original())
    if (text === null) location.href = this.#quote.href
    else composer.quote(text, { isNote: this.closest(".reply").dataset.internal === "true" })
  }

  /** The part of the message that is selected. */
  get #selected() {
    const selection = getSelection()
    const message = this.closest(".reply-card").querySelector(".prose")
    const isWithin = message.contains(selection.anchorNode) && message.contains(selection.focusNode)
    return isWithin ? selection.toString().trim() : ""
  }

  /** Returns the message as typed, or null if it cannot be read. */
  async #original() {
    const { href } = this.closest(".reply-card").querySelector("message-original[path='original/'] a")
    const response = await fetch(href, { redirect: "manual" }).catch(() => null)
    return response?.ok ? await response.text() : null
  }
}

customElements.define("message-links", MessageLinks)
