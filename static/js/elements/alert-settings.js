/** <alert-settings>: tries the sound, and asks the browser for the permission to show desktop notifications. */

import { subscribe } from "../lib/notifications/push.js"
import { playSound } from "../lib/notifications/sound.js"

class AlertSettings extends HTMLElement {
  connectedCallback() {
    this.hidden = false
    this.querySelector("[data-sound]").addEventListener("click", playSound)
    this.querySelector("button[data-permission]").addEventListener("click", () => this.#ask())
    this.#show()
  }

  async #ask() {
    await Notification.requestPermission()
    this.#show()
    subscribe().catch(() => {}) // offline: the next page tries again
  }

  #show() {
    const permission = "Notification" in window ? Notification.permission : "unsupported"
    for (const element of this.querySelectorAll("[data-permission]")) {
      element.hidden = element.dataset.permission !== permission
    }
  }
}

customElements.define("alert-settings", AlertSettings)
