/** Announces a state to screen readers: the latest sentence, and none more often than every few seconds. */

const SETTLE_MS = 1_000

export class Announcer {
  #region
  #interval
  #clock
  #text = ""
  #timer = null
  #announcedAt = Number.NEGATIVE_INFINITY

  /**
   * @param {{textContent: string}} region an element with role="status"
   * @param {object} [options]
   * @param {number} [options.interval] least number of milliseconds between two sentences
   * @param {{Date: {now: () => number}, setTimeout: Function}} [options.clock]
   */
  constructor(region, { interval = 10_000, clock = globalThis } = {}) {
    this.#region = region
    this.#interval = interval
    this.#clock = clock
  }

  /** Announces `text` once it has stood for a second, unless the region says it already. */
  announce(text) {
    this.#text = text
    if (this.#timer !== null) return
    const wait = Math.max(SETTLE_MS, this.#announcedAt + this.#interval - this.#clock.Date.now())
    this.#timer = this.#clock.setTimeout(() => this.#write(), wait)
  }

  #write() {
    this.#timer = null
    if (this.#region.textContent === this.#text) return
    this.#announcedAt = this.#clock.Date.now()
    this.#region.textContent = this.#text
  }
}
