/** <ticket-subscription data-ticket>: follow or mute the ticket, the same on all pages of the user. */

import { csrfToken } from "../../lib/page-config.js"
import { signalOf } from "../../lib/page-parts/lifetime.js"
import { live } from "../../live/index.js"

class TicketSubscription extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", (event) => this.#onSubmit(event))
    const onChange = ({ ticket, level }) => ticket.uuid === this.dataset.ticket && this.#show(level)
    live.stream.on("ticket.subscribed", onChange, { signal: signalOf(this) })
  }

  /** Without an answer the form is sent as a page without scripts does. */
  async #onSubmit(event) {
    event.preventDefault()
    const { target, submitter } = event
    const body = new FormData(target, submitter)
    body.set("csrfmiddlewaretoken", csrfToken())
    try {
      const response = await fetch(target.action, { method: "POST", body, redirect: "manual" })
      if (response.type === "opaqueredirect") this.#show(submitter.value)
      else target.submit()
    } catch {
      submitter.focus()
    }
  }

  #show(level) {
    for (const button of this.querySelectorAll("[data-level]")) {
      const isPressed = button.dataset.level === level
      button.ariaPressed = String(isPressed)
      button.value = isPressed ? "" : button.dataset.level
    }
  }
}

customElements.define("ticket-subscription", TicketSubscription)
