/** <form-draft data-draft data-draft-address>: keeps what is typed into a form that loads a page, until that page shows that it was sent. */

import "./file-picker.js"
import { drafts } from "../../lib/session.js"
import { keepDraft } from "./draft-keeper.js"

const SENT = "draft-sent"
const FIELDS = "input[type=text], input[type=radio], input[name=key], select"

class FormDraft extends HTMLElement {
  connectedCallback() {
    // Shown again with its errors, or after the page that shows the ticket was left before its scripts ran.
    const wasSubmitted = sessionStorage.getItem(SENT) === this.dataset.draft
    sessionStorage.removeItem(SENT)
    const fields = { read: () => this.#read(), write: (content) => this.#write(content) }
    const draft = keepDraft(this, fields, { wasSubmitted })
    this.addEventListener("submit", () => {
      sessionStorage.setItem(SENT, this.dataset.draft)
      draft.submitted()
    })
  }

  get #fields() {
    return [...this.querySelectorAll(FIELDS)].filter(({ name }) => name)
  }

  get #text() {
    return this.querySelector("textarea")
  }

  get #files() {
    return this.querySelector("file-picker")
  }

  /** The key, which identifies the submission, is part of the draft: sent twice, it opens one ticket. */
  #read() {
    const fields = this.#fields.filter((field) => field.type !== "radio" || field.checked)
    const values = Object.fromEntries(fields.map(({ name, value }) => [name, value]))
    return { text: this.#text.value, values, files: this.#files.kept }
  }

  #write({ text, values, files }) {
    for (const field of this.#fields) {
      const value = values[field.name] ?? (field.type === "text" ? "" : undefined)
      if (field.type === "radio") field.checked = field.value === value
      else if (value !== undefined && canShow(field, value)) field.value = value
    }
    this.#text.value = text
    this.#files.replace(files)
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
