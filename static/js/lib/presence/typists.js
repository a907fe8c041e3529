/** Who is typing: each for some seconds after their last keystroke was announced. */

const SHOWN_MS = 6_000

export class Typists {
  #onChange
  #clock
  /** @type {Map<string, *>} timers by name */
  #timers = new Map()

  /**
   * @param {object} options
   * @param {() => void} options.onChange
   * @param {{setTimeout: Function, clearTimeout: Function}} [options.clock]
   */
  constructor({ onChange, clock = globalThis }) {
    this.#onChange = onChange
    this.#clock = clock
  }

  get names() {
    return [...this.#timers.keys()]
  }

  add(name) {
    const isNew = !this.#timers.has(name)
    this.#clock.clearTimeout(this.#timers.get(name))
    this.#timers.set(
      name,
      this.#clock.setTimeout(() => this.remove(name), SHOWN_MS),
    )
    if (isNew) this.#onChange()
  }

  remove(name) {
    this.#clock.clearTimeout(this.#timers.get(name))
    if (this.#timers.delete(name)) this.#onChange()
  }

  clear() {
    for (const name of this.names) this.remove(name)
  }
}
