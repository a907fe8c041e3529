/** How much of the window the on-screen keyboard covers, in browsers whose pages do not become shorter by it, as on iOS. */

const MIN_HEIGHT = 80 // less is a bar of the browser

export class KeyboardInset {
  /** In pixels, from the lower edge of the window. */
  size = 0
  #page
  #viewport

  constructor({ page = document.documentElement, viewport = globalThis.visualViewport } = {}) {
    this.#page = page
    this.#viewport = viewport
  }

  /**
   * @param {(growth: number) => void} onChange is called with each change of the size, from now on
   * @param {{signal?: AbortSignal}} [options]
   */
  watch(onChange, { signal } = {}) {
    for (const name of ["resize", "scroll"]) {
      this.#viewport?.addEventListener(name, () => this.#update(onChange), { signal })
    }
  }

  #update(onChange) {
    const before = this.size
    this.size = this.#covered
    if (this.size === before) return
    this.#page.style.setProperty("--keyboard-size", `${this.size}px`)
    onChange(this.size - before)
  }

  get #covered() {
    const { scale, offsetTop, height } = this.#viewport
    if (scale > 1) return 0 // zoomed in: the window shows a part of the page
    const covered = Math.round(this.#page.clientHeight - offsetTop - height)
    return covered < MIN_HEIGHT ? 0 : covered
  }
}
