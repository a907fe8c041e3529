/** <message-original>: a link to a message as typed, which shows that text in the message's place. */

class MessageOriginal extends HTMLElement {
  #text = null

  connectedCallback() {
    // A message that arrived live: its template knows no address.
    const reply = this.closest("[id^=reply-]")
    if (reply && !this.#link.getAttribute("href")) {
      this.#link.href = `${location.pathname}replies/${reply.id.slice("reply-".length)}/original/`
    }
    this.#link.setAttribute("role", "button")
    this.#link.setAttribute("aria-pressed", "false")
    this.addEventListener("click", (event) => this.#toggle(event))
    this.addEventListener("keydown", (event) => event.key === " " && this.#toggle(event))
  }

  get #link() {
    return this.querySelector("a")
  }

  async #toggle(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens the text in a tab of its own
    event.preventDefault()
    const formatted = this.closest(".reply-card").querySelector(".prose")
    if (this.#text) {
      this.#text.remove()
      this.#text = null
    } else {
      await this.#show(formatted)
    }
    formatted.hidden = this.#text !== null
    this.#link.setAttribute("aria-pressed", String(this.#text !== null))
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
  }
}

customElements.define("message-original", MessageOriginal)
