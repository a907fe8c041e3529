/** <state-chip>: says whether the page is live; data-connected is "true" when it is. */

import { live } from "./live.js"

class StateChip extends HTMLElement {
  connectedCallback() {
    live.addEventListener("state", () => this.#show())
    this.#show()
  }

  #show() {
    this.dataset.connected = String(live.state === "connected")
    for (const text of this.querySelectorAll("[data-state]")) text.hidden = text.dataset.state !== live.state
    this.dataset.state = live.state
  }
}

customElements.define("state-chip", StateChip)
