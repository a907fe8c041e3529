/** <ticket-composer data-draft>: keeps what is typed, its files, and for whom, through reloads; Ctrl+Enter sends. */

import "./file-picker.js"
import { config } from "../lib/page-config.js"

class TicketComposer extends HTMLElement {
  connectedCallback() {
    this.#restore()
    this.addEventListener("input", () => this.#keep())
    this.addEventListener("file-picker:changed", () => this.#keep())
    this.addEventListener("keydown", (event) => this.#pressed(event))
    this.addEventListener("live-form:sent", (event) => this.#sent(event.detail.body))
  }

  get #text() {
    return this.querySelector("textarea")
  }

  /** The person is part of it: whoever signs in next on this tab does not get somebody else's words. */
  get #key() {
    return `draft:${config.user}:${this.dataset.draft}`
  }

  get #files() {
    return this.querySelector("file-picker")
  }

  get #isNote() {
    return this.querySelector("input[name=internal][value=on]")?.checked ?? false
  }

  #restore() {
    const draft = JSON.parse(sessionStorage.getItem(this.#key) ?? "null")
    if (!draft || this.#text.value) return
    const note = this.querySelector("input[name=internal][value=on]")
    // What was meant for staff must not come back as an answer to the customer.
    if (draft.isNote && !note) return
    if (draft.isNote) note.checked = true
    this.#text.value = draft.text
    this.#files?.restore(draft.files ?? [])
  }

  #keep() {
    const files = this.#files?.kept ?? []
    const draft = { text: this.#text.value, isNote: this.#isNote, files }
    if (draft.text || files.length) sessionStorage.setItem(this.#key, JSON.stringify(draft))
    else sessionStorage.removeItem(this.#key)
  }

  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.querySelector("form").requestSubmit()
  }

  /** What was typed while the reply was on its way stays. */
  #sent(body) {
    const text = this.#text
    const sent = body.get("message").replaceAll("\r\n", "\n")
    if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length)
    this.#files?.forget(body.getAll("attachments"))
    this.#keep()
  }
}

customElements.define("ticket-composer", TicketComposer)
