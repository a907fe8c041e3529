/** <ticket-composer data-draft>: keeps what is typed through reloads of this tab; Ctrl+Enter sends. */

class TicketComposer extends HTMLElement {
  connectedCallback() {
    const text = this.#text
    text.value ||= sessionStorage.getItem(this.#key) ?? ""
    text.addEventListener("input", () => sessionStorage.setItem(this.#key, text.value))
    text.addEventListener("keydown", (event) => this.#pressed(event))
    this.addEventListener("live-form:sent", (event) => this.#sent(event.detail.body))
  }

  get #text() {
    return this.querySelector("textarea")
  }

  get #key() {
    return `draft:${this.dataset.draft}`
  }

  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.querySelector("form").requestSubmit()
  }

  /** What was typed while the reply was on its way stays. */
  #sent(body) {
    const text = this.#text
    const rest = text.value.startsWith(body.get("message"))
      ? text.value.slice(body.get("message").length)
      : ""
    text.value = rest
    if (rest) sessionStorage.setItem(this.#key, rest)
    else sessionStorage.removeItem(this.#key)
  }
}

customElements.define("ticket-composer", TicketComposer)
