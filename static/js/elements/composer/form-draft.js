/** <form-draft data-draft>: keeps what is typed into a form that loads a page, until that page shows that it was sent. */

import "./file-picker.js"
import { drafts } from "../../lib/session.js"
import { live } from "../../live/index.js"

const SENT = "draft-sent"
const FIELDS = "input:not([type=file], [type=checkbox], [name=csrfmiddlewaretoken]), select, textarea"

class FormDraft extends HTMLElement {
  connectedCallback() {
    // The form is shown again, with its errors: it was not sent.
    sessionStorage.removeItem(SENT)
    this.#restore()
    for (const name of ["input", "change", "file-picker:changed"])
      this.addEventListener(name, () => this.#save())
    this.addEventListener("submit", () => sessionStorage.setItem(SENT, this.dataset.draft))
  }

  get #fields() {
    return [...this.querySelectorAll(FIELDS)].filter(({ name }) => name)
  }

  get #files() {
    return this.querySelector("file-picker")
  }

  get #isEmpty() {
    return this.#files.kept.length === 0 && this.#texts.every(({ value }) => value === "")
  }

  get #texts() {
    return [...this.querySelectorAll("input[type=text], textarea")]
  }

  /** The key, which identifies the submission, is part of the draft: sent twice, it opens one ticket. */
  #restore() {
    const draft = drafts.load(this.dataset.draft)
    if (!draft || !this.#isEmpty) return
    for (const field of this.#fields) {
      const value = draft.values[field.name]
      if (value !== undefined && canShow(field, value)) field.value = value
    }
    this.#files.restore(draft.files)
  }

  /** Saves nothing once the user has signed out: the next person on this browser would find it. */
  #save() {
    if (live.state === "ended") return
    const values = Object.fromEntries(this.#fields.map(({ name, value }) => [name, value]))
    if (this.#isEmpty) drafts.remove(this.dataset.draft)
    else drafts.save(this.dataset.draft, { values, files: this.#files.kept })
  }
}

function canShow(field, value) {
  return !field.options || [...field.options].some((option) => option.value === value)
}

/** Removes the draft of a form whose answer is another page. */
function removeSent() {
  const sent = sessionStorage.getItem(SENT)
  if (sent && !document.querySelector(`form-draft[data-draft="${CSS.escape(sent)}"]`)) {
    sessionStorage.removeItem(SENT)
    if (document.querySelector("ticket-page")) drafts.remove(sent)
  }
}

removeSent()
customElements.define("form-draft", FormDraft)
