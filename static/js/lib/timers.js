/** Timers that belong together and are cancelled together. */

export class Timers {
  #clock
  #pending = new Set()
  #isClosed = false

  /** @param {{setTimeout: Function, clearTimeout: Function}} clock */
  constructor(clock) {
    this.#clock = clock
  }

  /** Calls `callback` once after `ms`; returns a handle for `cancel`, or null after `close()`. */
  after(ms, callback) {
    if (this.#isClosed) return null
    const timer = this.#clock.setTimeout(() => {
      this.#pending.delete(timer)
      callback()
    }, ms)
    this.#pending.add(timer)
    return timer
  }

  cancel(timer) {
    if (timer === null) return
    this.#pending.delete(timer)
    this.#clock.clearTimeout(timer)
  }

  /** Cancels all timers and accepts no further ones. */
  close() {
    this.#isClosed = true
    for (const timer of this.#pending) this.#clock.clearTimeout(timer)
    this.#pending.clear()
  }
}

/** Returns a number from 0 to 1, from the clock of a test or from Math.random(). */
export function randomOf(clock) {
  return clock.random?.() ?? Math.random()
}
