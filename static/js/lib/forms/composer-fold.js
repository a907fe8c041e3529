/** Shows a composer as one line until it is used, and again once it was left empty. */

/** After a press the click follows, which may not meet something else than what was pressed. */
const AFTER_PRESS_MS = 50
const CHANGES = ["focusin", "focusout", "input", "composer:written", "live-form:settled"]

export class ComposerFold {
  #composer
  #around
  #isEmpty
  #onFold
  #isPressed = false

  /**
   * @param {HTMLElement} composer gets the class "is-folded"
   * @param {object} options
   * @param {HTMLElement} options.around moves when the composer becomes lower: not under a resting pointer
   * @param {() => boolean} options.isEmpty
   * @param {() => void} options.onFold
   */
  constructor(composer, { around, isEmpty, onFold }) {
    this.#composer = composer
    this.#around = around
    this.#isEmpty = isEmpty
    this.#onFold = onFold
  }

  /** @param {AbortSignal} signal ends it */
  start(signal) {
    const update = () => setTimeout(() => this.#update())
    for (const name of CHANGES) this.#composer.addEventListener(name, update, { signal })
    // Files, errors and notices.
    const observer = new MutationObserver(update)
    observer.observe(this.#composer, { childList: true, subtree: true, attributeFilter: ["hidden"] })
    signal.addEventListener("abort", () => observer.disconnect())
    this.#composer.addEventListener("keydown", (event) => this.#onKeydown(event), { signal })
    this.#around.addEventListener("pointerleave", update, { signal })
    addEventListener("pointerdown", () => this.#press(), { signal, capture: true })
    for (const name of ["pointerup", "pointercancel"])
      addEventListener(name, () => this.#release(), { signal, capture: true })
    this.#update()
  }

  #press() {
    this.#isPressed = true
  }

  #release() {
    setTimeout(() => {
      this.#isPressed = false
      this.#update()
    }, AFTER_PRESS_MS)
  }

  #onKeydown(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.#isEmpty()) return
    document.activeElement.blur()
    this.#fold()
  }

  #update() {
    if (this.#isPressed) return
    const isUsed = this.#composer.contains(document.activeElement) || !this.#isEmpty()
    if (isUsed) this.#composer.classList.remove("is-folded")
    else if (!isPointedAt(this.#around)) this.#fold()
  }

  #fold() {
    if (this.#composer.classList.contains("is-folded")) return
    this.#composer.classList.add("is-folded")
    this.#onFold()
  }
}

/** Whether a mouse rests on it; fingers do not rest. */
function isPointedAt(element) {
  return matchMedia("(hover: hover)").matches && element.matches(":hover")
}
