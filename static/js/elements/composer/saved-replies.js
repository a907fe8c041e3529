/**
 * <saved-replies data-address>: the composer's saved replies, inserted at the cursor. "/" in an empty reply opens them.
 */

import { csrfToken } from "../../lib/page-config.js"
import { SavedPicker } from "./saved-picker.js"

class SavedReplies extends SavedPicker {
  /** What closing without a choice leaves in the text. */
  #typed = ""

  connectedCallback() {
    super.connectedCallback()
    this.#text.addEventListener("keydown", (event) => this.#onSlash(event))
  }

  get #text() {
    return this.closest("form").elements.message
  }

  rows(answer) {
    return answer.saved_replies
  }

  #onSlash(event) {
    if (event.key !== "/" || this.#text.value !== "" || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    this.#typed = "/"
    this.open()
  }

  choose(saved) {
    this.#typed = ""
    this.#insert(saved.text)
    this.close()
    const headers = { "X-CSRFToken": csrfToken() }
    fetch(saved.used_url, { method: "POST", headers, keepalive: true }).catch(() => {})
  }

  #insert(text) {
    const { selectionStart, selectionEnd } = this.#text
    this.#text.setRangeText(text, selectionStart, selectionEnd, "end")
    this.#text.dispatchEvent(new Event("input", { bubbles: true }))
  }

  close() {
    if (this.#typed) this.#insert(this.#typed)
    super.close()
    this.#text.focus()
  }

  hide() {
    this.#typed = ""
    super.hide()
  }
}

customElements.define("saved-replies", SavedReplies)
