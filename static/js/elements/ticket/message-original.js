/**
 * <message-original>: a link to a message as typed, or as mailed, which shows that text in the message's place.
 *
 * `path` is the link's address below that of the message.
 */

class MessageOriginal extends HTMLElement {
  #text = null

  // Once: a published note is moved to the end, and connected again.
  constructor() {
    super()
    this.addEventListener("click", (event) => this.#toggle(event))
    this.addEventListener("keydown", (event) => event.key === " " && this.#toggle(event))
  }

  connectedCallback() {
    // A message that arrived live: its template knows no address.
    const reply = this.closest("[id^=reply-]")
    if (reply && !this.#link.getAttribute("href")) {
      this.#link.href = `${location.pathname}replies/${reply.id.slice("reply-".length)}/${this.getAttribute("path")}`
    }
    this.#link.setAttribute("role", "button")
    this.#link.setAttribute("aria-pressed", String(this.#text !== null))
  }

  get #link() {
    return this.querySelector("a")
  }

  async #toggle(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens the text in a tab of its own
    event.preventDefault()
    if (this.#text) {
      this.hide()
      return
    }
    const card = this.closest(".reply-card")
    for (const other of card.querySelectorAll("message-original")) other.hide()
    await this.#show(card.querySelector(".prose"))
  }

  hide() {
    if (!this.#text) return
    this.#text.remove()
    this.#text = null
    this.closest(".reply-card").querySelector(".prose").hidden = false
    this.#link.setAttribute("aria-pressed", "false")
  }

  async #show(formatted) {
    const response = await fetch(this.#link.href, { redirect: "manual" }).catch(() => null)
    if (!response?.ok) {
      location.href = this.#link.href
      return
    }
    const text = document.createElement("pre")
    text.className = "original"
    text.dir = "auto"
    text.textContent = await response.text()
    if (this.#text) return // pressed twice
    this.#text = text
    formatted.after(text)
    formatted.hidden = true
    this.#link.setAttribute("aria-pressed", "true")
  }
}

customElements.define("message-original", MessageOriginal)
