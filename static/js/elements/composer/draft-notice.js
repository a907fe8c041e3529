/** <draft-notice>: offers what the person has written on another device, and the way back. */

class DraftNotice extends HTMLElement {
  #choices = {}

  connectedCallback() {
    this.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-choose]")
      if (button) this.#choices[button.dataset.choose]?.()
    })
  }

  /**
   * Shows one of the notices: "offered", with the choices "use" and "keep", or "replaced", with "undo".
   *
   * @param {?string} state
   * @param {Object<string, () => void>} [choices]
   */
  show(state, choices = {}) {
    this.#choices = choices
    for (const part of this.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state
    this.hidden = state === null
  }
}

customElements.define("draft-notice", DraftNotice)
