/** <ticket-bulk>: selects rows of the surrounding list and changes the selected tickets without leaving the page. */

import { refreshKey } from "../lib/forms/form-key.js"
import { config } from "../lib/page-config.js"
import { postForm } from "../lib/session.js"
import { clone } from "../lib/template.js"
import { live } from "../live/index.js"

class TicketBulk extends HTMLElement {
  #lastBox = null

  connectedCallback() {
    this.list = this.closest("ticket-list")
    this.form = this.querySelector("form")
    this.list.addEventListener("click", (event) => this.#onClick(event))
    this.list.addEventListener("change", (event) => this.#onChange(event.target))
    this.list.addEventListener("ticket-list:unselected", () => this.#show())
    this.form.addEventListener("reset", () => setTimeout(() => this.#notify()))
    this.form.elements.macro.addEventListener("change", () => this.#showMacro())
    this.form.addEventListener("submit", (event) => this.#onSubmit(event))
    this.list.addEventListener("ticket-list:shown", () => this.#start())
    this.#start()
  }

  #start() {
    for (const element of this.list.querySelectorAll("[data-select-all], [data-select-page]")) {
      element.hidden = false
    }
    this.#show()
  }

  get #boxes() {
    return [...this.list.querySelectorAll("label:not([hidden]) > .row-check")]
  }

  get #selected() {
    return this.#boxes.filter((box) => box.checked)
  }

  // Selecting

  #onClick(event) {
    if (event.target.closest("[data-select-page]")) this.#selectAll(true)
    const undo = event.target.closest("[data-undo]")
    if (undo) this.#undo(undo)
    if (!event.target.matches(".row-check")) return
    if (event.shiftKey && this.#lastBox?.isConnected) this.#selectRange(event.target)
    this.#lastBox = event.target
  }

  #onChange(element) {
    if (element.matches("[data-select-all]")) this.#selectAll(element.checked)
    else if (element.matches(".row-check")) this.#notify()
  }

  #selectAll(checked) {
    for (const box of this.#boxes) box.checked = checked
    this.#notify()
  }

  /** Gives all boxes from the last clicked one to this one the state of this one. */
  #selectRange(box) {
    const boxes = this.#boxes
    const [first, last] = [boxes.indexOf(this.#lastBox), boxes.indexOf(box)].sort((a, b) => a - b)
    for (const between of boxes.slice(first, last + 1)) between.checked = box.checked
    this.#notify()
  }

  #notify() {
    this.#show()
    this.#showMacro()
    this.list.dispatchEvent(new CustomEvent("ticket-list:selected"))
  }

  #show() {
    const [number, all] = [this.#selected.length, this.#boxes.length]
    this.querySelector("[data-number]").textContent = String(number)
    this.querySelector("[data-selected]").hidden = number === 0
    const box = this.list.querySelector("[data-select-all]")
    if (!box) return
    box.checked = number > 0 && number === all
    box.indeterminate = number > 0 && number < all
  }

  /** Says what the chosen macro does, before it is applied. */
  #showMacro() {
    const { value } = this.form.elements.macro
    for (const summary of this.querySelectorAll("[data-macro]"))
      summary.hidden = summary.dataset.macro !== value
  }

  // Changing

  async #onSubmit(event) {
    if (event.submitter?.hasAttribute("formaction")) return // leads to a page of its own
    event.preventDefault()
    if (this.form.ariaBusy === "true") return
    this.form.ariaBusy = "true"
    const names = new Map(this.#selected.map((box) => [box.value, referenceOf(box)]))
    const startedAt = performance.now()
    this.#showErrors({})
    try {
      this.#showResult(await send(this.form.action, new FormData(this.form)), names)
      live.expectEvent(startedAt)
    } catch (problem) {
      this.#showErrors(problem.errors ?? { __all__: [problem.text ?? config.texts.not_saved] })
    } finally {
      this.form.ariaBusy = "false"
    }
  }

  /** Gives the tickets what they had before; the button stays if the server could not be reached. */
  async #undo(button) {
    if (button.ariaBusy === "true") return
    button.ariaBusy = "true"
    const startedAt = performance.now()
    const body = new FormData()
    body.set("undo", button.value)
    this.#showErrors({})
    try {
      this.#showResult(await send(this.dataset.undoAddress, body), new Map())
      live.expectEvent(startedAt)
      this.#rescueFocus()
    } catch (problem) {
      this.#showErrors(problem.errors ?? { __all__: [problem.text ?? config.texts.not_saved] })
      if (problem.errors) button.remove()
    } finally {
      button.ariaBusy = "false"
    }
  }

  /** Reports the result; tickets that could not be changed stay selected. */
  #showResult({ changed, message, refused, undo }, names) {
    const notices = this.list.querySelector("[data-notices]")
    notices.replaceChildren()
    if (changed > 0) notices.append(doneNotice(message, undo))
    for (const { uuid, reference, reason } of refused) {
      notices.append(clone("notice-refused", { reference: reference || names.get(uuid), reason }))
    }
    const left = new Set(refused.map(({ uuid }) => uuid))
    for (const box of this.#selected) if (names.has(box.value) && !left.has(box.value)) box.checked = false
    for (const field of this.form.querySelectorAll("select")) field.selectedIndex = 0
    for (const field of this.form.querySelectorAll("input[list]")) field.value = ""
    refreshKey(this.form)
    if (this.#selected.length === 0) this.#rescueFocus()
    this.#notify()
  }

  /** Moves the focus from what disappears to the heading, and leaves it where the user has gone since. */
  #rescueFocus() {
    const { activeElement, body } = document
    if (activeElement && activeElement !== body && !this.contains(activeElement)) return
    this.list.querySelector("h1").focus({ preventScroll: true })
  }

  #showErrors(errors) {
    for (const place of this.querySelectorAll("[data-error-for]")) {
      const messages = errors[place.dataset.errorFor] ?? []
      place.textContent = messages.join(" ")
      place.hidden = messages.length === 0
    }
  }
}

function doneNotice(message, undo) {
  const notice = clone("notice-done", { message, undo })
  if (!undo) notice.querySelector("[data-undo]").remove()
  return notice
}

function referenceOf(box) {
  return box.closest(".ticket-row").dataset.reference
}

/** Throws {errors} of the fields or {text} where the server did not accept. */
async function send(address, body) {
  const response = await postForm(address, body)
  if (response.ok) return await response.json()
  if (response.status === 422) throw await response.json()
  // A redirect leads to the sign-in page.
  if (response.type === "opaqueredirect") throw { text: config.texts.signed_out }
  throw { text: response.status >= 500 ? config.texts.not_saved : config.texts.refused }
}

customElements.define("ticket-bulk", TicketBulk)
