/** Drafts in the browser's storage: each belongs to a user and a form, and survives closing the page. */

const PREFIX = "draft:"
const MAX_AGE_MS = 30 * 86_400_000

export class Drafts {
  #user
  #storage
  #clock

  /**
   * @param {string} user the id of the signed-in user: no other user of this browser gets their drafts
   * @param {Storage} storage a browser may refuse access to it, or have no room left; drafts then end with the page
   * @param {{now: () => number}} [clock]
   */
  constructor(user, storage, clock = Date) {
    this.#user = user
    this.#storage = storage
    this.#clock = clock
  }

  /** Returns the draft of a form, or null. */
  load(name) {
    return this.#attempt(() => JSON.parse(this.#storage.getItem(this.#key(name)))) ?? null
  }

  save(name, draft) {
    const text = JSON.stringify({ ...draft, savedAt: this.#clock.now() })
    this.#attempt(() => this.#storage.setItem(this.#key(name), text))
  }

  remove(name) {
    this.#attempt(() => this.#storage.removeItem(this.#key(name)))
  }

  /** Removes every draft: the user signs out. */
  clear() {
    this.#removeKeys(() => true)
  }

  /** Removes drafts of other users, who did not sign out, and old ones. */
  prune() {
    const oldest = this.#clock.now() - MAX_AGE_MS
    const isOld = (key) => !(JSON.parse(this.#storage.getItem(key))?.savedAt > oldest)
    this.#removeKeys((key) => !key.startsWith(this.#key("")) || isOld(key))
  }

  /** Calls `handler` when another page of the user's saves or removes this draft: with the draft, and the one before. */
  watch(name, handler) {
    addEventListener("storage", ({ key, newValue, oldValue }) => {
      if (key === this.#key(name)) handler(JSON.parse(newValue), JSON.parse(oldValue))
    })
  }

  #removeKeys(isMeant) {
    this.#attempt(() => {
      const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index))
      for (const key of keys) if (key.startsWith(PREFIX) && isMeant(key)) this.#storage.removeItem(key)
    })
  }

  #key(name) {
    return `${PREFIX}${this.#user}:${name}`
  }

  #attempt(action) {
    try {
      return action()
    } catch {
      return null
    }
  }
}
