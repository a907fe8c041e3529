/** <state-chip>: shows the state of live updates; `data-connected` is "true" while they arrive. */

import { live } from "../live/index.js"

class StateChip extends HTMLElement {
  connectedCallback() {
    live.addEventListener("state", () => this.#show())
    this.#show()
  }

  #show() {
    const { state } = live
    this.dataset.connected = String(state === "connected")
    for (const text of this.querySelectorAll("[data-state]")) text.hidden = text.dataset.state !== state
    this.dataset.state = state
  }
}

customElements.define("state-chip", StateChip)
