/**
 * <saved-replies data-address>: the composer's saved replies, found by any of their words and inserted at the cursor.
 * "/" in an empty reply opens them.
 */

import { csrfToken } from "../../lib/page-config.js"
import { clone } from "../../lib/template.js"
import { search } from "../../lib/text-search.js"

class SavedReplies extends HTMLElement {
  #all = []
  #found = []
  #current = 0
  #typed = ""

  connectedCallback() {
    this.hidden = false
    this.#button.addEventListener("click", () => (this.#sheet.hidden ? this.#open("") : this.#close()))
    this.#text.addEventListener("keydown", (event) => this.#onSlash(event))
    this.#input.addEventListener("input", (event) => {
      event.stopPropagation() // the composer saves what is typed as its draft
      this.#show()
    })
    this.#input.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()) // the focus stays
    this.#list.addEventListener("click", (event) =>
      this.#pick(this.#options.indexOf(event.target.closest("li"))),
    )
    this.addEventListener("focusout", (event) => !this.contains(event.relatedTarget) && this.#hide())
  }

  get #button() {
    return this.querySelector("button")
  }

  get #sheet() {
    return this.querySelector(".picker-sheet")
  }

  get #input() {
    return this.querySelector("input")
  }

  get #list() {
    return this.querySelector("ul")
  }

  get #options() {
    return [...this.#list.children]
  }

  get #text() {
    return this.closest("form").elements.message
  }

  #onSlash(event) {
    if (event.key !== "/" || this.#text.value !== "" || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    this.#open("/")
  }

  /** @param {string} typed what closing without a choice leaves in the text */
  async #open(typed) {
    this.#typed = typed
    this.#sheet.hidden = false
    this.#button.ariaExpanded = "true"
    this.#input.value = ""
    this.#input.focus()
    const response = await fetch(this.dataset.address, { redirect: "manual" }).catch(() => null)
    this.#all = response?.ok ? (await response.json()).saved_replies : []
    this.#show()
  }

  #show() {
    this.#found = search(this.#input.value, this.#all)
    this.#list.replaceChildren(...this.#found.map((saved, index) => this.#option(saved, index)))
    this.querySelector(".picker-empty").hidden = this.#found.length > 0
    this.#mark(0)
  }

  #option(saved, index) {
    const option = clone("saved-reply-option", { saved })
    option.id = `saved-reply-${index}`
    return option
  }

  #mark(index) {
    const options = this.#options
    this.#current = Math.max(0, Math.min(index, options.length - 1))
    for (const [place, option] of options.entries()) option.ariaSelected = String(place === this.#current)
    options[this.#current]?.scrollIntoView({ block: "nearest" })
    this.#input.setAttribute("aria-activedescendant", options[this.#current]?.id ?? "")
  }

  #onKeydown(event) {
    const actions = {
      ArrowDown: () => this.#mark(this.#current + 1),
      ArrowUp: () => this.#mark(this.#current - 1),
      Enter: () => this.#pick(this.#current),
      Escape: () => this.#close(),
    }
    const action = actions[event.key]
    if (!action || event.isComposing) return
    event.preventDefault()
    event.stopPropagation() // Ctrl+Enter would send
    action()
  }

  #pick(index) {
    const saved = this.#found[index]
    if (!saved) return
    this.#typed = ""
    this.#insert(saved.text)
    this.#close()
    const headers = { "X-CSRFToken": csrfToken() }
    fetch(saved.used_url, { method: "POST", headers, keepalive: true }).catch(() => {})
  }

  #insert(text) {
    const { selectionStart, selectionEnd } = this.#text
    this.#text.setRangeText(text, selectionStart, selectionEnd, "end")
    this.#text.dispatchEvent(new Event("input", { bubbles: true }))
  }

  #close() {
    if (this.#typed) this.#insert(this.#typed)
    this.#text.focus()
    this.#hide()
  }

  #hide() {
    this.#typed = ""
    this.#sheet.hidden = true
    this.#button.ariaExpanded = "false"
  }
}

customElements.define("saved-replies", SavedReplies)
