/** <state-chip>: says whether the page is live, and why not; data-connected is "true" when it is. */

import { live } from "../live/index.js"

class StateChip extends HTMLElement {
  connectedCallback() {
    live.addEventListener("state", () => this.#show())
    this.#show()
  }

  #show() {
    const { state, refusal } = live
    this.dataset.connected = String(state === "connected")
    for (const place of this.querySelectorAll("[data-code]")) place.textContent = refusal?.code ?? ""
    for (const text of this.querySelectorAll("[data-state]")) text.hidden = text.dataset.state !== state
    this.dataset.state = state
  }
}

customElements.define("state-chip", StateChip)
