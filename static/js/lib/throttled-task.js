/** Runs a task when requested: at most once per period, only while allowed, and again after a failure. */

import { randomOf } from "./timers.js"

const MAX_WAIT_MS = 60_000

export class ThrottledTask {
  #task
  #period
  #spread
  #isAllowed
  #clock
  #isRequested = false
  #isRunning = false
  #timer = null
  #failures = 0

  /**
   * @param {() => Promise<void>} task is retried with growing delays while it rejects
   * @param {object} options
   * @param {number} options.period least number of milliseconds from one start to the next
   * @param {number} options.spread upper limit of a random delay in milliseconds: pages that get the same event spread their requests
   * @param {() => boolean} [options.isAllowed] a request waits while this is false; call `check` when it changes
   */
  constructor(task, { period, spread, isAllowed = () => true, clock = globalThis }) {
    this.#task = task
    this.#period = period
    this.#spread = spread
    this.#isAllowed = isAllowed
    this.#clock = clock
  }

  /** Requests a run. */
  request() {
    this.#isRequested = true
    this.check()
  }

  /** Starts a requested run unless one is running or scheduled. */
  check() {
    if (!this.#isRequested || this.#isRunning || this.#timer !== null || !this.#isAllowed()) return
    this.#timer = this.#clock.setTimeout(() => this.#run(), randomOf(this.#clock) * this.#spread)
  }

  async #run() {
    this.#timer = null
    if (!this.#isAllowed()) return
    this.#isRequested = false
    this.#isRunning = true
    await Promise.all([this.#runTask(), this.#wait()])
    this.#isRunning = false
    this.check()
  }

  async #runTask() {
    try {
      await this.#task()
      this.#failures = 0
    } catch {
      this.#failures += 1
      this.#isRequested = true
    }
  }

  #wait() {
    const wait = Math.min(MAX_WAIT_MS, this.#period * 2 ** this.#failures)
    return new Promise((resolve) => this.#clock.setTimeout(resolve, wait))
  }
}
