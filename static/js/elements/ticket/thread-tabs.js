/** <thread-tabs>: switches between a ticket's messages and its activity without leaving the page. */

class ThreadTabs extends HTMLElement {
  #connection
  /** How far each tab was scrolled. */
  #places = new Map()

  connectedCallback() {
    this.#connection = new AbortController()
    const { signal } = this.#connection
    this.addEventListener("click", (event) => this.#onClick(event), { signal })
    // What one sends is among the messages.
    const page = this.closest("ticket-page")
    const onSent = ({ target }) => target.matches("form.composer") && this.#show("messages")
    page.addEventListener("submit", onSent, { signal })
  }

  disconnectedCallback() {
    this.#connection.abort()
  }

  get #links() {
    return [...this.querySelectorAll("[data-pane]")]
  }

  #onClick(event) {
    const link = event.target.closest("[data-pane]")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.#show(link.dataset.pane)
  }

  #show(pane) {
    const shown = this.#links.find((link) => link.ariaCurrent)
    if (shown?.dataset.pane === pane) return
    this.#places.set(shown?.dataset.pane, scrollY)
    for (const link of this.#links) {
      const isShown = link.dataset.pane === pane
      link.ariaCurrent = isShown ? "true" : null
      document.getElementById(link.dataset.pane).hidden = !isShown
    }
    scrollTo({ top: this.#places.get(pane) ?? 0, behavior: "instant" })
  }
}

customElements.define("thread-tabs", ThreadTabs)
