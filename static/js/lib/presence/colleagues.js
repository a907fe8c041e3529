/** Which colleagues have a ticket open and what they are doing: one entry per person, however many tabs they have. */

const IDLE_MS = 60_000
const ACTIVITIES = new Map([
  ["client-viewing", "viewing"],
  ["client-replying", "replying"],
  ["client-noting", "noting"],
])
const ORDER = ["replying", "noting", "viewing", "idle"]

/**
 * @typedef {object} Colleague
 * @property {string} id
 * @property {string} name
 * @property {string} avatar_url
 * @property {"viewing" | "replying" | "noting" | "idle"} activity "idle" a minute after their last sign of life
 */

export class Colleagues {
  #self
  #onChange
  #clock
  #members = new Map()
  /** @type {Map<string, {activity: string, at: number}>} the latest client event of each person */
  #latest = new Map()
  #timer = null

  /**
   * @param {object} options
   * @param {string} options.self the id of this page's user, who is no colleague
   * @param {(colleagues: Colleague[]) => void} options.onChange is given all, the busiest first
   * @param {{Date: {now: () => number}, setTimeout: Function, clearTimeout: Function}} [options.clock]
   */
  constructor({ self, onChange, clock = globalThis }) {
    this.#self = self
    this.#onChange = onChange
    this.#clock = clock
  }

  /** Sets the members of the presence channel. */
  set(members) {
    this.#members.clear()
    for (const member of members) this.#put(member)
    for (const id of this.#latest.keys()) if (!this.#members.has(id)) this.#latest.delete(id)
    this.#update()
  }

  add(member) {
    this.#put(member)
    this.#update()
  }

  remove({ id }) {
    this.#members.delete(id)
    this.#latest.delete(id)
    this.#update()
  }

  /** Takes a client event; it may come before its sender is known as a member. */
  receive(name, data) {
    const activity = ACTIVITIES.get(name)
    if (!activity || !data?.user?.id) return
    this.#latest.set(data.user.id, { activity, at: this.#clock.Date.now() })
    this.#update()
  }

  has(id) {
    return this.#members.has(id)
  }

  #put(member) {
    if (member.id === this.#self) return
    this.#members.set(member.id, member)
    if (!this.#latest.has(member.id))
      this.#latest.set(member.id, { activity: "viewing", at: this.#clock.Date.now() })
  }

  #update() {
    const people = [...this.#members.values()].map((member) => ({
      ...member,
      activity: this.#activity(member),
    }))
    people.sort((a, b) => ORDER.indexOf(a.activity) - ORDER.indexOf(b.activity))
    this.#watchForIdle(people)
    this.#onChange(people)
  }

  #activity({ id }) {
    const { activity, at } = this.#latest.get(id)
    return this.#clock.Date.now() - at < IDLE_MS ? activity : "idle"
  }

  #watchForIdle(people) {
    this.#clock.clearTimeout(this.#timer)
    const moments = people
      .filter(({ activity }) => activity !== "idle")
      .map(({ id }) => this.#latest.get(id).at)
    if (moments.length === 0) return
    const wait = Math.min(...moments) + IDLE_MS - this.#clock.Date.now()
    this.#timer = this.#clock.setTimeout(() => this.#update(), wait)
  }
}
