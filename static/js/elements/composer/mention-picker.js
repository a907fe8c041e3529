/**
 * <mention-picker data-address>: "@" in an internal note offers the colleagues who may read it. The text has their names,
 * the form sends their keys.
 */

import { mentionedIn, queryAt } from "../../lib/notifications/mentions.js"
import { clone } from "../../lib/template.js"

const MAX_SHOWN = 8

class MentionPicker extends HTMLElement {
  /** @type {?Promise<{id: string, name: string}[]>} */
  #colleagues = null
  #all = []
  #found = []
  #chosen = new Set()
  #current = 0

  connectedCallback() {
    const text = this.#text
    text.addEventListener("input", () => this.#update())
    text.addEventListener("click", () => this.#update())
    text.addEventListener("blur", () => this.#hide())
    text.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()) // the focus stays
    this.#list.addEventListener("click", ({ target }) =>
      this.#pick([...this.#list.children].indexOf(target.closest("li"))),
    )
    this.#form.addEventListener("formdata", ({ formData }) => this.#addKeys(formData))
    if (this.#isNote && text.value.includes("@")) this.#load()
  }

  get #form() {
    return this.closest("form")
  }

  get #text() {
    return this.#form.elements.message
  }

  get #isNote() {
    return this.#form.elements.internal.value === "on"
  }

  get #sheet() {
    return this.querySelector(".picker-sheet")
  }

  get #list() {
    return this.querySelector("ul")
  }

  async #update() {
    if (!this.#isNote || !this.#text.value.includes("@")) return this.#hide()
    await this.#load()
    const query = queryAt(this.#text.value, this.#text.selectionStart)
    this.#found =
      query === null ? [] : this.#all.filter(({ name }) => matches(name, query)).slice(0, MAX_SHOWN)
    this.#show()
  }

  #load() {
    this.#colleagues ??= fetch(this.dataset.address, { redirect: "manual" })
      .then((response) => response.json())
      .then(({ colleagues }) => {
        this.#all = colleagues
      })
      .catch(() => {
        this.#colleagues = null // offline: the next letter asks again
      })
    return this.#colleagues
  }

  #show() {
    if (this.#found.length === 0 || document.activeElement !== this.#text) return this.#hide()
    this.#list.replaceChildren(...this.#found.map((person, index) => option(person, index)))
    this.#sheet.hidden = false
    this.#text.setAttribute("aria-controls", this.#list.id)
    this.#mark(0)
  }

  #hide() {
    this.#sheet.hidden = true
    this.#text.removeAttribute("aria-activedescendant")
    this.#text.removeAttribute("aria-controls")
  }

  #mark(index) {
    const options = [...this.#list.children]
    this.#current = (index + options.length) % options.length
    for (const [place, each] of options.entries()) each.ariaSelected = String(place === this.#current)
    this.#text.setAttribute("aria-activedescendant", options[this.#current].id)
  }

  #onKeydown(event) {
    const actions = {
      ArrowDown: () => this.#mark(this.#current + 1),
      ArrowUp: () => this.#mark(this.#current - 1),
      Enter: () => this.#pick(this.#current),
      Tab: () => this.#pick(this.#current),
      Escape: () => this.#hide(),
    }
    const action = actions[event.key]
    if (this.#sheet.hidden || !action || event.isComposing || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    event.stopImmediatePropagation()
    action()
  }

  #pick(index) {
    const person = this.#found[index]
    if (!person) return
    const text = this.#text
    const start = text.selectionStart - queryAt(text.value, text.selectionStart).length
    this.#chosen.add(person.id)
    text.setRangeText(`${person.name} `, start, text.selectionStart, "end")
    this.#hide()
    text.dispatchEvent(new Event("input", { bubbles: true }))
  }

  #addKeys(data) {
    if (!this.#isNote) return
    for (const id of mentionedIn(this.#text.value, this.#all, this.#chosen)) data.append("mentions", id)
  }
}

function matches(name, query) {
  const typed = query.toLocaleLowerCase()
  return ` ${name.toLocaleLowerCase()}`.includes(` ${typed}`)
}

function option(person, index) {
  const item = clone("mention-option", person)
  item.id = `mention-${index}`
  return item
}

customElements.define("mention-picker", MentionPicker)
