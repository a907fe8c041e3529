/** Does something after it was asked for, however often: seldom enough, only while it is wanted, again if it failed. */

const LONGEST_WAIT_MS = 60_000

export class Pace {
  #act
  #period
  #spread
  #isWanted
  #clock
  #isDue = false
  #isActing = false
  #timer = null
  #failures = 0

  /**
   * @param {() => Promise<void>} act what to do; whoever rejects is called again, later and later
   * @param {object} options
   * @param {number} options.period milliseconds from one beginning to the next, at least
   * @param {number} options.spread up to so many more, at random: pages that hear the same do not ask together
   * @param {() => boolean} [options.isWanted] what is due waits while this is false; call `look` when it changes
   */
  constructor(act, { period, spread, isWanted = () => true, clock = globalThis }) {
    this.#act = act
    this.#period = period
    this.#spread = spread
    this.#isWanted = isWanted
    this.#clock = clock
  }

  /** Asks for it. */
  ask() {
    this.#isDue = true
    this.look()
  }

  /** Sees whether something is due and nothing is under way. */
  look() {
    if (!this.#isDue || this.#isActing || this.#timer !== null || !this.#isWanted()) return
    this.#timer = this.#clock.setTimeout(() => this.#go(), this.#random * this.#spread)
  }

  get #random() {
    return this.#clock.random?.() ?? Math.random()
  }

  async #go() {
    this.#timer = null
    if (!this.#isWanted()) return
    this.#isDue = false
    this.#isActing = true
    await Promise.all([this.#attempt(), this.#rest()])
    this.#isActing = false
    this.look()
  }

  async #attempt() {
    try {
      await this.#act()
      this.#failures = 0
    } catch {
      this.#failures += 1
      this.#isDue = true
    }
  }

  #rest() {
    const wait = Math.min(LONGEST_WAIT_MS, this.#period * 2 ** this.#failures)
    return new Promise((resolve) => this.#clock.setTimeout(resolve, wait))
  }
}
