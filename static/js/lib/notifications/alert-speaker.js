/** Chooses the tab that speaks for an event: the one that is looked at, or else the first that takes the lock. */

const WAIT_MS = 700 // of a tab that is not looked at: one that is may be slower
const HELD_MS = 15_000 // longer than the tabs differ in receiving an event

export class AlertSpeaker {
  #page
  #clock
  #locks

  constructor({ page = document, clock = globalThis, locks = navigator.locks } = {}) {
    this.#page = page
    this.#clock = clock
    this.#locks = locks
  }

  /** @param {(isLookedAt: boolean) => void} task is called in one tab of the user's */
  async speak(event, task) {
    if (!this.#isLookedAt) await this.#wait(WAIT_MS)
    if (!this.#locks) return task(this.#isLookedAt)
    await this.#locks.request(`alert ${event}`, { ifAvailable: true }, (lock) => {
      if (!lock) return
      task(this.#isLookedAt)
      return this.#wait(HELD_MS)
    })
  }

  get #isLookedAt() {
    return !this.#page.hidden && this.#page.hasFocus()
  }

  #wait(time) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, time))
  }
}
