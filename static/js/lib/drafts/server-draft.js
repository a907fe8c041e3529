/** The draft of one form on the server. */

import { config, csrfToken } from "../page-config.js"

/** Statuses after which the same request may succeed. */
const isTemporary = (status) => status === 429 || status >= 500

export class ServerDraft {
  #address
  #live
  #isClosed = false

  /**
   * @param {string} address
   * @param {{state: string}} live
   */
  constructor(address, live) {
    this.#address = address
    this.#live = live
  }

  isReachable() {
    return !this.#isClosed && !["ended", "reconnecting"].includes(this.#live.state)
  }

  /** Saves and loads no more: its form is no longer shown. */
  close() {
    this.#isClosed = true
  }

  async save(content, base) {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() }
    const response = await fetch(this.#address, {
      method: "POST",
      body: bodyOf(content, base),
      headers,
      redirect: "manual",
    })
    if (isTemporary(response.status)) throw new Error(response.statusText)
    // Signed out, or without access to the ticket: this browser still has it.
    if (![200, 409, 422].includes(response.status)) return { isRefused: true }
    const { draft } = await response.json()
    if (response.status === 409) return { stored: storedOf(draft) }
    return draft ? { version: draft.version } : { isRefused: true }
  }

  async load() {
    const response = await fetch(this.#address, {
      headers: { Accept: "application/json" },
      redirect: "manual",
    })
    if (isTemporary(response.status)) throw new Error(response.statusText)
    return response.ok ? storedOf((await response.json()).draft) : null
  }

  saveLast(content, base) {
    navigator.sendBeacon(this.#address, bodyOf(content, base))
  }
}

/** Returns a draft as the server sends it with its version apart. */
export function storedOf({ version, text, is_note, values, files }) {
  return { version, content: { text, isNote: is_note, values, files } }
}

/** The user is named: after another sign-in the draft must not become the other user's. */
function bodyOf({ text, isNote, values = {}, files = [] }, base) {
  const body = new FormData()
  body.set("csrfmiddlewaretoken", csrfToken())
  body.set("user", config.user)
  body.set("base", String(base))
  body.set("text", text)
  if (isNote) body.set("internal", "on")
  for (const [name, value] of Object.entries(values)) body.set(name, value)
  for (const { id } of files) body.append("attachments", id)
  return body
}
