/** <command-palette data-tickets>: finds tickets, views and actions by what is typed; Enter opens or does the chosen one. */

import { performer } from "../../lib/keys/actions.js"
import { clone } from "../../lib/template.js"
import { search } from "../../lib/text-search.js"
import { ThrottledTask } from "../../lib/throttled-task.js"

const MOST = 8
const INTERVAL_MS = 250

class CommandPalette extends HTMLElement {
  #options = []
  #tickets = []
  #current = 0
  /** The page's actions when the palette was opened: in it they would find nothing that has the focus. */
  #actions = []
  #finding = new ThrottledTask(() => this.#find(), { period: INTERVAL_MS, spread: 0 })

  connectedCallback() {
    this.#input.addEventListener("input", () => {
      this.#show()
      this.#finding.request()
    })
    this.#input.addEventListener("keydown", (event) => this.#onKeydown(event))
    this.#list.addEventListener("click", ({ target }) =>
      this.#pick([...this.#list.children].indexOf(target.closest("li"))),
    )
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  get #input() {
    return this.querySelector("input")
  }

  get #list() {
    return this.querySelector("ul")
  }

  open() {
    const { all } = document.querySelector("key-shortcuts")
    const found = all.map((shortcut) => ({ ...shortcut, perform: performer(shortcut) }))
    this.#actions = found.filter(({ action, perform }) => action !== "palette" && perform)
    this.#input.value = ""
    this.#tickets = []
    this.#show()
    this.#dialog.showModal()
  }

  #show() {
    const actions = this.#actions.map((action) => ({ ...action, name: action.label, text: "" }))
    const found = search(this.#input.value, actions)
    const tickets = this.#input.value.trim() ? this.#tickets : []
    this.#options = [...tickets, ...found]
    this.#list.replaceChildren(...this.#options.map((option, index) => this.#item(option, index)))
    this.querySelector("[data-empty]").hidden = this.#options.length > 0
    this.#mark(0)
  }

  #item(option, index) {
    const item = clone("palette-option", option)
    item.id = `palette-option-${index}`
    item.querySelector("kbd").hidden = !option.keys
    return item
  }

  async #find() {
    const words = this.#input.value.trim()
    if (!words) return
    const query = new URLSearchParams({ q: words, size: String(MOST) })
    const response = await fetch(`${this.dataset.tickets}?${query}`, {
      headers: { Accept: "application/json" },
      redirect: "manual",
    }).catch(() => null)
    if (words !== this.#input.value.trim()) return
    const { results } = response?.ok ? await response.json() : { results: [] }
    this.#tickets = results.map(({ reference, subject, html_url }) => ({
      label: `${reference} ${subject}`,
      keys: "",
      perform: () => location.assign(html_url),
    }))
    this.#show()
  }

  #mark(index) {
    const items = [...this.#list.children]
    this.#current = Math.max(0, Math.min(index, items.length - 1))
    for (const [place, item] of items.entries()) item.ariaSelected = String(place === this.#current)
    items[this.#current]?.scrollIntoView({ block: "nearest" })
    this.#input.setAttribute("aria-activedescendant", items[this.#current]?.id ?? "")
  }

  #onKeydown(event) {
    const steps = {
      ArrowDown: () => this.#mark(this.#current + 1),
      ArrowUp: () => this.#mark(this.#current - 1),
      Enter: () => this.#pick(this.#current),
      Escape: () => this.#dialog.close(), // a search field would only be emptied
    }
    if (!steps[event.key] || event.isComposing) return
    event.preventDefault()
    steps[event.key]()
  }

  /** Closes first: the focus returns to where the action was meant. */
  #pick(index) {
    const option = this.#options[index]
    if (!option) return
    this.#dialog.close()
    option.perform()
  }
}

customElements.define("command-palette", CommandPalette)
