/** Drafts in the browser's storage, which also works offline: each belongs to a user and a form. */

const PREFIX = "draft:"
const MAX_AGE_MS = 30 * 86_400_000

export class LocalDrafts {
  #user
  #storage
  #clock
  #isClosed = false

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
    if (this.#isClosed) return
    const text = JSON.stringify({ ...draft, savedAt: this.#clock.now() })
    this.#attempt(() => this.#storage.setItem(this.#key(name), text))
  }

  remove(name) {
    this.#attempt(() => this.#storage.removeItem(this.#key(name)))
  }

  /** Removes every draft, and saves no more: the user signs out, and the page is left. */
  clear() {
    this.#isClosed = true
    this.#removeKeys(() => true)
  }

  /** Removes drafts of other users, who did not sign out, and old ones. */
  prune() {
    const oldest = this.#clock.now() - MAX_AGE_MS
    const isOld = (key) => !(JSON.parse(this.#storage.getItem(key))?.savedAt > oldest)
    this.#removeKeys((key) => !key.startsWith(this.#key("")) || isOld(key))
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
