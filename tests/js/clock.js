/** A clock that tests move by hand. */
export class FakeClock {
  now = 0
  #timers = new Map()
  #lastId = 0

  /** @param {() => number} [random] stands in for Math.random */
  constructor(random = () => 0.5) {
    this.random = random
  }

  get pending() {
    return this.#timers.size
  }

  /** What scripts read as `Date.now()` and `performance.now()`. */
  get Date() {
    return { now: () => this.now }
  }

  get performance() {
    return this.Date
  }

  setTimeout(act, ms = 0) {
    this.#lastId += 1
    this.#timers.set(this.#lastId, { act, due: this.now + ms })
    return this.#lastId
  }

  clearTimeout(id) {
    this.#timers.delete(id)
  }

  /** Moves on by `ms`, running what falls due in its order, with all that follows from it. */
  async advance(ms) {
    const end = this.now + ms
    await settle()
    for (let id = this.#nextBefore(end); id !== undefined; id = this.#nextBefore(end)) {
      const { act, due } = this.#timers.get(id)
      this.#timers.delete(id)
      this.now = Math.max(this.now, due)
      act()
      await settle()
    }
    this.now = end
  }

  /** Lets `ms` pass in which nothing runs: what falls due meanwhile runs late, as on a machine that was asleep. */
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
