/** A clock that tests advance. */
export class FakeClock {
  now = 0
  #timers = new Map()
  #lastId = 0
  #ahead = 0

  /** @param {() => number} [random] stands in for Math.random */
  constructor(random = () => 0.5) {
    this.random = random
  }

  get pending() {
    return this.#timers.size
  }

  /** Replaces `Date` and `performance` in scripts. */
  get Date() {
    return { now: () => this.now + this.#ahead }
  }

  get performance() {
    return { now: () => this.now }
  }

  /** Sets the date by `ms`, forward or back; timers take no notice. */
  set(ms) {
    this.#ahead += ms
  }

  setTimeout(callback, ms = 0) {
    this.#lastId += 1
    this.#timers.set(this.#lastId, { callback, due: this.now + ms })
    return this.#lastId
  }

  clearTimeout(id) {
    this.#timers.delete(id)
  }

  /** Advances by `ms` and runs due timers in order, with their consequences. */
  async advance(ms) {
    const end = this.now + ms
    await settle()
    for (let id = this.#nextBefore(end); id !== undefined; id = this.#nextBefore(end)) {
      const { callback, due } = this.#timers.get(id)
      this.#timers.delete(id)
      this.now = Math.max(this.now, due)
      callback()
      await settle()
    }
    this.now = end
  }

  /** Advances by `ms` without running timers, like a machine that sleeps; due timers run late. */
  sleep(ms) {
    this.now += ms
  }

  #nextBefore(end) {
    let next
    for (const [id, { due }] of this.#timers) {
      if (due <= end && (next === undefined || due < this.#timers.get(next).due)) next = id
    }
    return next
  }
}

/** Waits until every promise that can settle now has settled. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve))
}
