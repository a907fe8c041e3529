/** What lists of saved replies and macros share: opened by a button, found by any of their words, chosen by keys. */

import { clone } from "../../lib/template.js"
import { search } from "../../lib/text-search.js"

export class SavedPicker extends HTMLElement {
  #all = []
  #found = []
  #current = 0

  connectedCallback() {
    this.hidden = false
    this.#button.addEventListener("click", () => (this.#sheet.hidden ? this.open() : this.close()))
    this.#input.addEventListener("input", (event) => {
      event.stopPropagation() // the composer saves what is typed as its draft
      this.#show()
    })
    this.#input.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()) // the focus stays
    this.#list.addEventListener("click", (event) =>
      this.#pick(this.#options.indexOf(event.target.closest("li")), event),
    )
    this.addEventListener("focusout", (event) => !this.contains(event.relatedTarget) && this.hide())
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

  async open() {
    this.#sheet.hidden = false
    this.#button.ariaExpanded = "true"
    this.#input.value = ""
    this.#input.focus()
    const response = await fetch(this.dataset.address, { redirect: "manual" }).catch(() => null)
    this.#all = response?.ok ? this.rows(await response.json()) : []
    this.#show()
  }

  #show() {
    this.#found = search(this.#input.value, this.#all)
    this.#list.replaceChildren(...this.#found.map((saved, index) => this.#option(saved, index)))
    this.querySelector(".picker-empty").hidden = this.#found.length > 0
    this.#mark(0)
  }

  #option(saved, index) {
    const option = clone(this.querySelector("template").id, { saved })
    option.id = `${this.#list.id}-${index}`
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
      Enter: () => this.#pick(this.#current, event),
      Escape: () => this.close(),
    }
    const action = actions[event.key]
    if (!action || event.isComposing) return
    event.preventDefault()
    event.stopPropagation() // Ctrl+Enter would send
    action()
  }

  #pick(index, event) {
    const saved = this.#found[index]
    if (saved) this.choose(saved, event)
  }

  /** Closes the list, with the focus where it came from. */
  close() {
    this.hide()
    this.#button.focus()
  }

  hide() {
    this.#sheet.hidden = true
    this.#button.ariaExpanded = "false"
  }
}
