/** <ticket-composer data-draft>: keeps the draft and its files, in this browser, until it is sent; Ctrl+Enter sends. */

import "./file-picker.js"
import { drafts } from "../../lib/session.js"
import { live } from "../../live/index.js"

class TicketComposer extends HTMLElement {
  connectedCallback() {
    this.#restore()
    this.#showMode()
    drafts.watch(this.dataset.draft, (draft, before) => this.#follow(draft, before))
    live.addEventListener("state", () => this.#text.value && this.#save()) // typed while signed out
    this.addEventListener("input", () => this.#save())
    this.addEventListener("change", () => this.#showMode())
    this.addEventListener("submit", () => this.#announce(""))
    this.addEventListener("file-picker:changed", () => this.#save())
    this.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.addEventListener("live-form:sent", ({ detail }) => this.#onSent(detail.body, detail.answer))
  }

  get #text() {
    return this.querySelector("textarea")
  }

  get #files() {
    return this.querySelector("file-picker")
  }

  get #isNote() {
    return this.querySelector("input[name=internal][value=on]")?.checked ?? false
  }

  #restore() {
    const draft = drafts.load(this.dataset.draft)
    if (!draft || this.#text.value) return
    const note = this.querySelector("input[name=internal][value=on]")
    // A draft of an internal note must not become a reply to the customer.
    if (draft.isNote && !note) return
    if (draft.isNote) note.checked = true
    this.#text.value = draft.text
    this.#files?.restore(draft.files ?? [])
  }

  /** Saves nothing once the user has signed out: the next person on this browser would find it. */
  #save() {
    if (live.state === "ended") return
    const files = this.#files?.kept ?? []
    const draft = { text: this.#text.value, isNote: this.#isNote, files }
    if (draft.text || files.length) drafts.save(this.dataset.draft, draft)
    else drafts.remove(this.dataset.draft)
  }

  /** Shows what another tab has written or sent, unless this one has text of its own. */
  #follow(draft, before) {
    if (this.contains(document.activeElement) || this.#text.value !== (before?.text ?? "")) return
    if (draft?.isNote !== undefined && draft.isNote !== this.#isNote) return
    this.#text.value = draft?.text ?? ""
  }

  #onKeydown(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
    const button = event.shiftKey ? "[name=then][value=close]" : "[type=submit]:not([name])"
    this.querySelector("form").requestSubmit(this.querySelector(button))
  }

  /** The placeholder says what is being written. */
  #showMode() {
    const { placeholderNote, placeholderReply } = this.#text.dataset
    this.#text.placeholder = this.#isNote ? placeholderNote : placeholderReply
  }

  /** Reports to screen readers, once they are done with what they are reading. */
  #announce(text) {
    this.querySelector("[data-announcement]").textContent = text
  }

  /** Keeps what was typed while the reply was being sent; without that, the reply may lead elsewhere. */
  #onSent(body, answer) {
    const text = this.#text
    const sent = body.get("message").replaceAll("\r\n", "\n")
    if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length)
    this.#files?.forget(body.getAll("attachments"))
    this.#save()
    const { reply, note } = this.querySelector("[data-announcement]").dataset
    this.#announce(body.get("internal") ? note : reply)
    if (answer?.following && !text.value) location.assign(answer.following)
  }
}

customElements.define("ticket-composer", TicketComposer)
