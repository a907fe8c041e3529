/** <send-guard>: shows messages that came while one was written; the server then refuses to send it (409). */

import { submitAgain } from "../../lib/forms/submitter.js"
import { clone } from "../../lib/template.js"
import { live } from "../../live/index.js"

const NOT_SHOWN = ".visibility, message-original, message-links, .attachments"

class SendGuard extends HTMLElement {
  /** Whether there is text that was not sent. */
  #isOpen = false
  /** @type {?string} the latest message that was there when the composer was opened, or on screen since */
  #seen = null
  #page
  #form

  connectedCallback() {
    this.#page = this.closest("ticket-page")
    this.#form = this.#page.querySelector("form.composer")
    this.#onInput() // a draft
    for (const name of ["input", "composer:written"]) this.#form.addEventListener(name, () => this.#onInput())
    // Before the form is sent.
    this.#page.addEventListener("submit", ({ target }) => target === this.#form && this.#setField())
    this.#page.addEventListener("message:seen", ({ target }) => this.#see(target))
    // After the composer has removed what was sent.
    this.#page.addEventListener("live-form:sent", () => this.#onInput())
    this.#form.addEventListener("live-form:failed", ({ detail }) => detail.unseen && this.#show(detail))
    this.querySelector("[data-edit]").addEventListener("click", () => this.#dialog.close())
    this.querySelector("[data-send]").addEventListener("click", () => this.#send())
    this.#dialog.addEventListener("close", () => this.#text.focus())
  }

  get #text() {
    return this.#form.elements.message
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  /** Whether the latest messages are on another page: the field then names the latest one when this was loaded. */
  get #isEarlierPage() {
    return this.#page.querySelector("#latest-replies") !== null
  }

  get #newest() {
    return [...this.#page.querySelectorAll("#replies > .reply")].at(-1)?.id ?? null
  }

  #onInput() {
    if (this.#isOpen === Boolean(this.#text.value)) return
    this.#isOpen = !this.#isOpen
    this.#seen = this.#isOpen ? this.#newest : null
  }

  #see(item) {
    if (!this.#isOpen || !item.matches("#replies > .reply")) return
    const before = document.getElementById(this.#seen)
    const isLater = before && before.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING
    if (isLater || this.#seen === null) this.#seen = item.id
  }

  /** Without a message of the page, the field keeps what the server or `#show` has set. */
  #setField() {
    const id = this.#isOpen ? this.#seen : this.#newest
    if (!this.#isEarlierPage && document.getElementById(id))
      this.#form.elements.seen.value = id.replace("reply-", "")
  }

  #show({ unseen, seen }) {
    this.#form.elements.seen.value = seen
    this.#seen = `reply-${seen}`
    this.querySelector("ol").replaceChildren(...unseen.map(messageItem))
    this.#dialog.showModal()
    live.stream.catchUp() // without live updates the page does not have them yet
  }

  #send() {
    this.#dialog.close()
    submitAgain(this.#form)
  }
}

function messageItem(reply) {
  const item = clone("reply", reply)
  for (const part of item.querySelectorAll(NOT_SHOWN)) part.remove()
  return item
}

customElements.define("send-guard", SendGuard)
