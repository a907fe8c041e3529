/** What colleagues do on the tickets of a list, as far as they are active: one entry per ticket and person. */

// Pages repeat what their user does every 30 s while they are used.
const SHOWN_MS = 75_000

export class TicketActivities {
  #self
  #onChange
  #clock
  /** @type {Map<string, Map<string, {user: object, activity: string, timer: *}>>} by ticket, then by person */
  #tickets = new Map()

  /**
   * @param {object} options
   * @param {string} options.self the id of this page's user
   * @param {(uuid: string) => void} options.onChange
   * @param {{setTimeout: Function, clearTimeout: Function}} [options.clock]
   */
  constructor({ self, onChange, clock = globalThis }) {
    this.#self = self
    this.#onChange = onChange
    this.#clock = clock
  }

  /** Takes a "ticket.activity" event. */
  receive({ ticket, user, activity }) {
    if (user.id === this.#self) return
    if (activity === "leaving") this.#remove(ticket.uuid, user.id)
    else this.#put(ticket.uuid, user, activity)
  }

  /** Removes a person who is no longer online. */
  forget(id) {
    for (const uuid of this.#tickets.keys()) this.#remove(uuid, id)
  }

  /** Returns who is on a ticket: {user, activity}. */
  of(uuid) {
    return [...(this.#tickets.get(uuid)?.values() ?? [])]
  }

  #put(uuid, user, activity) {
    if (!this.#tickets.has(uuid)) this.#tickets.set(uuid, new Map())
    const people = this.#tickets.get(uuid)
    const before = people.get(user.id)
    this.#clock.clearTimeout(before?.timer)
    const timer = this.#clock.setTimeout(() => this.#remove(uuid, user.id), SHOWN_MS)
    people.set(user.id, { user, activity, timer })
    if (before?.activity !== activity) this.#onChange(uuid)
  }

  #remove(uuid, id) {
    const person = this.#tickets.get(uuid)?.get(id)
    if (!person) return
    this.#clock.clearTimeout(person.timer)
    this.#tickets.get(uuid).delete(id)
    this.#onChange(uuid)
  }
}
