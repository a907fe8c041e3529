/** <macro-dialog>: shows what a macro does to the ticket, and applies it. */

import { config } from "../../lib/page-config.js"
import { fill } from "../../lib/template.js"

class MacroDialog extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-cancel]").addEventListener("click", () => this.#dialog.close())
    this.#form.addEventListener("live-form:sent", () => this.#onApplied())
    this.#form.addEventListener("live-form:failed", ({ detail }) => this.#onFailed(detail))
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  get #form() {
    return this.querySelector("form")
  }

  /** @param {{atOnce: boolean}} options atOnce: it is shown only if it could not be applied */
  async show({ name, url }, { atOnce }) {
    const seen = this.#seen()
    const headers = { Accept: "application/json" }
    const response = await fetch(url, { headers, redirect: "manual" }).catch(() => null)
    const macro = response?.ok ? await response.json() : { name, lines: [], problems: config.texts.offline }
    this.#fill(macro, seen)
    if (atOnce && !macro.problems) this.#form.requestSubmit()
    else this.#dialog.showModal()
  }

  #fill(macro, seen) {
    fill(this.#form, { reply: "", note: "", ...macro })
    const { elements } = this.#form
    elements.macro.value = macro.id ?? ""
    elements.version.value = seen.version
    elements.seen.value = seen.message
    delete this.#form.dataset.conflicted
    this.#form.toggleAttribute("data-writes", Boolean(macro.reply || macro.note))
    this.#form.querySelector("[type=submit]").disabled = Boolean(macro.problems)
    for (const place of this.#form.querySelectorAll("[data-error-for]")) place.hidden = true
  }

  /** What the page shows: later changes and messages of others are not passed over. */
  #seen() {
    const page = this.closest("ticket-page")
    const newest = page.querySelector("#latest-replies")
      ? null
      : page.querySelector("#replies > .reply:last-of-type")
    return {
      version: page.querySelector("#change-status").form.elements.version.value,
      message: newest?.id.replace("reply-", "") ?? page.querySelector("form.composer").elements.seen.value,
    }
  }

  #onApplied() {
    this.#dialog.close()
    const status = this.querySelector("[data-applied]")
    status.textContent = status.dataset.applied
  }

  /** Shows it if it was to be applied at once; pressed again, it passes over what is now shown. */
  #onFailed({ seen }) {
    if (seen) this.#form.elements.seen.value = seen
    if (!this.#dialog.open) this.#dialog.showModal()
  }
}

customElements.define("macro-dialog", MacroDialog)
