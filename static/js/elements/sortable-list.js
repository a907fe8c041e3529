/** <sortable-list>: rows with `data-id` that are dragged by their grip, or moved by their buttons; its form saves the order. */

import { postForm } from "../lib/session.js"

class SortableList extends HTMLElement {
  #row = null
  #before = ""
  #saving = Promise.resolve()

  connectedCallback() {
    for (const grip of this.querySelectorAll(".sheet-grip")) grip.hidden = false
    this.addEventListener("pointerdown", (event) => this.#take(event))
    this.addEventListener("pointermove", (event) => this.#move(event))
    this.addEventListener("pointerup", () => this.#drop())
    this.addEventListener("pointercancel", () => this.#drop())
    this.addEventListener("submit", (event) => this.#onSubmit(event))
    this.#showEnds()
  }

  get #rows() {
    return [...this.querySelectorAll("[data-id]")]
  }

  get #order() {
    return this.#rows.map((row) => row.dataset.id)
  }

  #take(event) {
    if (!event.target.closest(".sheet-grip") || event.button !== 0) return
    event.preventDefault()
    this.#row = event.target.closest("[data-id]")
    this.#before = this.#order.join()
    this.#row.classList.add("is-dragged")
    this.setPointerCapture(event.pointerId)
  }

  #move(event) {
    if (!this.#row) return
    const below = this.#rows.find((row) => row !== this.#row && event.clientY < middle(row))
    if (below) below.before(this.#row)
    else this.#row.parentElement.append(this.#row)
  }

  #drop() {
    if (!this.#row) return
    this.#row.classList.remove("is-dragged")
    this.#row = null
    if (this.#order.join() !== this.#before) this.#save()
  }

  /** A button moves its row and keeps the focus, so that it can be pressed again. */
  #onSubmit(event) {
    const { submitter } = event
    if (submitter?.name !== "move") return
    event.preventDefault()
    const row = submitter.closest("[data-id]")
    if (submitter.value === "up") row.previousElementSibling?.before(row)
    else row.nextElementSibling?.after(row)
    submitter.focus()
    this.#save()
  }

  /** The first row cannot move up, and the last one not down. A button that has the focus keeps it. */
  #showEnds() {
    for (const button of this.querySelectorAll("button[name=move]")) {
      const row = button.closest("[data-id]")
      const isEnd = button.value === "up" ? !row.previousElementSibling : !row.nextElementSibling
      button.disabled = false
      button.ariaDisabled = String(isEnd)
    }
  }

  #save() {
    this.#showEnds()
    this.#saving = this.#saving.then(() => this.#post())
  }

  /** Saves the order; if that fails, the form does it with a page that says why. */
  async #post() {
    const form = this.querySelector("form.order")
    for (const old of form.querySelectorAll("[name=order]")) old.remove()
    for (const value of this.#order) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "order", value }))
    }
    const response = await postForm(form.action, new FormData(form)).catch(() => null)
    if (!response?.ok) form.submit()
  }
}

const middle = (row) => {
  const { top, height } = row.getBoundingClientRect()
  return top + height / 2
}

customElements.define("sortable-list", SortableList)
