/**
 * <ticket-composer data-draft data-draft-address>: keeps the draft and its files until it is sent; Ctrl+Enter sends. It is
 * one line until it is used.
 */

import "./file-picker.js"
import { ComposerFold } from "../../lib/forms/composer-fold.js"
import { signalOf } from "../../lib/page-parts/lifetime.js"
import { visit } from "../../lib/page-parts/visit.js"
import { keepDraft } from "./draft-keeper.js"

const IN_USE = ".file-list > li, .field-error:not([hidden]), draft-notice:not([hidden])"

class TicketComposer extends HTMLElement {
  #draft

  connectedCallback() {
    this.#draft = keepDraft(this, {
      read: () => ({ text: this.#text.value, isNote: this.#isNote, files: this.#files.kept }),
      write: (content) => this.#write(content),
    })
    this.#showMode()
    this.addEventListener("change", () => this.#showMode())
    this.addEventListener("submit", () => {
      this.#announce("")
      this.#draft.sending()
    })
    this.addEventListener("live-form:settled", () => this.#draft.settled())
    this.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.addEventListener("live-form:sent", ({ detail }) => this.#onSent(detail.body, detail.answer))
    this.querySelector(".composer-tabs")?.addEventListener("click", (event) => this.#onTab(event))
    this.addEventListener("focusout", ({ relatedTarget }) => this.#closeMenus(relatedTarget))
    const fold = new ComposerFold(this, {
      around: this.closest(".conversation"),
      isEmpty: () => !this.#text.value && !this.querySelector(IN_USE),
      onFold: () => this.#onFold(),
    })
    fold.start(signalOf(this))
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

  /** A draft of an internal note must not become a reply to the customer. */
  #write({ text, isNote, files }) {
    const note = this.querySelector("input[name=internal][value=on]")
    if (isNote && !note) return
    if (note && text) (isNote ? note : this.querySelector("input[name=internal][value='']")).checked = true
    this.#text.value = text
    this.#files.replace(files)
    this.#showMode()
    this.#text.dispatchEvent(new CustomEvent("composer:written", { bubbles: true }))
  }

  /** Adds a quote, in an internal note if it is from one: its text must not become a reply. */
  quote(text, { isNote }) {
    const note = this.querySelector("input[name=internal][value=on]")
    if (isNote && note) note.checked = true
    this.#showMode()
    const field = this.#text
    const lines = text.split(/\r?\n/).map((line) => `> ${line}`.trimEnd())
    const before = field.value.trimEnd()
    field.value = `${before ? `${before}\n\n` : ""}${lines.join("\n")}\n\n`
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }

  /** Pressed with a pointer, a tab leads to the text; keys choose among the tabs. */
  #onTab({ detail, target }) {
    if (target.matches("input") && detail > 0) this.#text.focus()
  }

  /** The next message is a reply again. */
  #onFold() {
    const reply = this.querySelector("input[name=internal][value='']")
    if (reply) reply.checked = true
    this.#showMode()
  }

  #closeMenus(focused) {
    for (const menu of this.querySelectorAll("details[open]")) if (!menu.contains(focused)) menu.open = false
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
    this.#files.forget(body.getAll("attachments"))
    this.#draft.sent()
    const { reply, note } = this.querySelector("[data-announcement]").dataset
    this.#announce(body.get("internal") ? note : reply)
    if (answer?.following && !text.value && this.isConnected) visit(answer.following)
  }
}

customElements.define("ticket-composer", TicketComposer)
