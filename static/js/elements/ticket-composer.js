/** <ticket-composer data-draft>: keeps the draft and its files through reloads; Ctrl+Enter sends. */

import "./file-picker.js"
import { config } from "../lib/page-config.js"

class TicketComposer extends HTMLElement {
  connectedCallback() {
    this.#restore()
    this.addEventListener("input", () => this.#save())
    this.addEventListener("file-picker:changed", () => this.#save())
    this.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.addEventListener("live-form:sent", (event) => this.#onSent(event.detail.body))
  }

  get #text() {
    return this.querySelector("textarea")
  }

  /** Includes the user: another user who signs in on this tab does not see the draft. */
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
    // A draft of an internal note must not become a reply to the customer.
    if (draft.isNote && !note) return
    if (draft.isNote) note.checked = true
    this.#text.value = draft.text
    this.#files?.restore(draft.files ?? [])
  }

  #save() {
    const files = this.#files?.kept ?? []
    const draft = { text: this.#text.value, isNote: this.#isNote, files }
    if (draft.text || files.length) sessionStorage.setItem(this.#key, JSON.stringify(draft))
    else sessionStorage.removeItem(this.#key)
  }

  #onKeydown(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.querySelector("form").requestSubmit()
  }

  /** Keeps what was typed while the reply was being sent. */
  #onSent(body) {
    const text = this.#text
    const sent = body.get("message").replaceAll("\r\n", "\n")
    if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length)
    this.#files?.forget(body.getAll("attachments"))
    this.#save()
  }
}

customElements.define("ticket-composer", TicketComposer)
