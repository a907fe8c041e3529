/** <sortable-list>: rows with `data-id` that are dragged by their grip; its form saves the new order. */

class SortableList extends HTMLElement {
  #row = null
  #before = ""

  connectedCallback() {
    for (const grip of this.querySelectorAll(".sheet-grip")) grip.hidden = false
    this.addEventListener("pointerdown", (event) => this.#take(event))
    this.addEventListener("pointermove", (event) => this.#move(event))
    this.addEventListener("pointerup", () => this.#drop())
    this.addEventListener("pointercancel", () => this.#drop())
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

  #save() {
    const form = this.querySelector("form.order")
    for (const value of this.#order) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "order", value }))
    }
    form.submit()
  }
}

const middle = (row) => {
  const { top, height } = row.getBoundingClientRect()
  return top + height / 2
}

customElements.define("sortable-list", SortableList)
