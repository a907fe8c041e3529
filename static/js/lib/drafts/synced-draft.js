/** What is being written on a page, and its draft on the server, which other pages of the same person change too. */

import { ThrottledTask } from "../throttled-task.js"

const PAUSE_MS = 1_000
const PERIOD_MS = 3_000
const FOLLOW_MS = 1_000
const FOLLOW_SPREAD_MS = 200

/**
 * @typedef {object} Content
 * @property {string} text
 * @property {boolean} [isNote]
 * @property {Object<string, string>} [values] the other fields
 * @property {{id: string, filename: string, size: number}[]} [files]
 */

/** @typedef {{version: number, content: Content}} Stored */

export class SyncedDraft {
  #form
  #server
  #local
  #onOffer
  #clock
  /** The version that what is written here started from. */
  #base = 0
  /** The latest version of which this page has been notified. */
  #newest = 0
  /** What the server has, as far as this page knows. */
  #saved = normalized({ text: "" })
  /** @type {?Stored} what another page has written, while this one has text of its own */
  #offer = null
  #refused = null
  #isSaving = false
  /** Whether the form was submitted and nothing was typed since: the answer loads another page, or none. */
  #isSubmitted = false
  /** Whether a message is being sent without leaving the page: whether the draft ends is not known yet. */
  #isSending = false
  /** How many messages were sent from here: what the server said of the draft before the last one is out of date. */
  #sendings = 0
  /** @type {?Content} what this browser kept of the page before: it may have been saved as that page was left */
  #left = null
  #save
  #follow
  #pause = null

  /**
   * @param {object} options
   * @param {{read: () => Content, write: (content: Content) => void, isInUse: () => boolean}} options.form
   * @param {object} options.server
   * @param {(content: Content, base: number) => Promise<{version?: number, stored?: Stored, isRefused?: boolean}>} options.server.save
   *   rejects if it may succeed later
   * @param {() => Promise<?Stored>} options.server.load
   * @param {(content: Content, base: number) => void} options.server.saveLast while the page is left
   * @param {() => boolean} options.server.isReachable call `check` when it changes
   * @param {{load: () => ?object, save: (draft: object) => void, remove: () => void}} options.local the browser's storage
   * @param {(offer: ?Content) => void} options.onOffer is called with what another page has written, to choose from
   */
  constructor({ form, server, local, onOffer, clock = globalThis }) {
    this.#form = form
    this.#server = server
    this.#local = local
    this.#onOffer = onOffer
    this.#clock = clock
    const isAllowed = () => server.isReachable()
    this.#save = new ThrottledTask(() => this.#send(), { period: PERIOD_MS, spread: 0, isAllowed, clock })
    this.#follow = new ThrottledTask(() => this.#load(), {
      period: FOLLOW_MS,
      spread: FOLLOW_SPREAD_MS,
      isAllowed,
      clock,
    })
  }

  /** The version to name when the message is sent. */
  get base() {
    return this.#base
  }

  /**
   * Begins with what the server has rendered.
   *
   * @param {Stored} stored
   * @param {{submittedBase?: ?number, wasSubmitted?: boolean}} [options] submittedBase: the form is shown again after an
   *   error, and keeps what was submitted; it started from this version. wasSubmitted: what this browser keeps was
   *   submitted; it was sent if the server has emptied the draft since
   */
  start(stored, { submittedBase = null, wasSubmitted = false } = {}) {
    this.#saved = normalized(stored.content)
    this.#base = this.#newest = stored.version
    if (submittedBase !== null) {
      this.#base = submittedBase
      this.#saveLater()
      return
    }
    const kept = this.#local.load()
    if (kept?.isSynced && kept.base > stored.version) {
      this.#resume(kept)
      return
    }
    const wasSent = wasSubmitted && isEmpty(stored.content) && kept?.base < stored.version
    if (kept && !wasSent && !kept.isSynced && !isSame(kept.content, stored.content))
      this.#reconcile(kept, stored)
    else this.#remember()
  }

  /** Shows what was saved while the server rendered this page from before, and looks whether it is still there. */
  #resume({ content, base }) {
    this.#form.write(content)
    this.#saved = normalized(content)
    this.#base = this.#newest = base
    this.look()
  }

  /** Notices a change of the form: keeps it in this browser at once, and on the server after a pause. */
  changed() {
    this.#isSubmitted = false
    this.#saveLater()
  }

  #saveLater() {
    this.#remember()
    if (!this.#isDirty) return
    this.#clock.clearTimeout(this.#pause)
    this.#pause = this.#clock.setTimeout(() => this.#save.request(), PAUSE_MS)
  }

  /** Saves now. */
  async flush() {
    if (this.#isDirty && !this.#offer && this.#server.isReachable()) await this.#send().catch(() => {})
  }

  /** The page is left. */
  leave() {
    this.#remember()
    if (this.#isDirty && !this.#isHeld && !this.#offer && this.#server.isReachable())
      this.#server.saveLast(this.#form.read(), this.#base)
  }

  /** The form is being submitted: saved after the server has emptied the draft, what was sent would come back. */
  submitted() {
    this.#remember()
    this.#isSubmitted = true
  }

  /** A message is being sent from this page: saved again after the server has emptied the draft, it would come back. */
  sending() {
    this.#remember()
    this.#isSending = true
  }

  /** It was sent, or not. */
  settled() {
    this.#isSending = false
    this.#saveLater()
    this.#catchUp()
  }

  /** What was written has been sent: the server has emptied the draft. */
  sent() {
    this.#sendings += 1
    this.#saved = normalized({ text: "" })
    this.#local.remove()
    this.#saveLater()
    if (this.#left) this.look()
  }

  /** Takes the notice that the draft has a new version. */
  notice(version) {
    this.#newest = Math.max(this.#newest, version)
    this.#catchUp()
  }

  /** Looks whether another page has written since. */
  look() {
    this.#follow.request()
  }

  /**
   * Goes on at the beginning of a connection, after the server could not be reached, or the person had signed out.
   * Notices of the versions of a draft between its first and its end are sent live only, and may have been missed.
   */
  check() {
    this.#remember()
    if (this.#isDirty) this.#save.request()
    if (this.#server.isReachable() && !isEmpty(this.#saved)) this.look()
    this.#follow.check()
  }

  /** Shows what another page has written; returns what was here. */
  takeOffer() {
    const before = this.#form.read()
    this.#take(this.#offer)
    return before
  }

  /** Keeps what is written here, in place of what another page has written. */
  refuseOffer() {
    this.#base = this.#offer.version
    this.#saved = normalized(this.#offer.content)
    this.#setOffer(null)
    this.#saveLater()
  }

  get #isHeld() {
    return this.#isSubmitted || this.#isSending
  }

  get #isDirty() {
    return !isSame(this.#form.read(), this.#saved)
  }

  /** Two versions are both offered, unless one is empty or the other one's beginning. */
  #reconcile(kept, stored) {
    const isSuccessor = kept.base === stored.version || isEmpty(stored.content)
    if (!isSuccessor && isEmpty(kept.content)) {
      this.#remember()
      return
    }
    this.#form.write(kept.content)
    if (isSuccessor) {
      this.#left = kept.content
      this.#saveLater()
    } else {
      this.#base = kept.base
      this.#setOffer(stored)
    }
  }

  async #send() {
    const content = normalized(this.#form.read())
    const wasRefused = this.#refused && isSame(content, this.#refused)
    if (this.#offer || this.#isHeld || wasRefused || isSame(content, this.#saved)) return
    const sendings = this.#sendings
    this.#isSaving = true
    try {
      const { version, stored, isRefused } = await this.#server.save(content, this.#base)
      if (version !== undefined) this.#onSaved(content, version)
      if (stored && sendings === this.#sendings) this.#onStored(stored)
      else if (stored) this.#follow.request()
      this.#refused = isRefused ? content : null
    } finally {
      this.#isSaving = false
      this.#catchUp()
    }
  }

  #onSaved(content, version) {
    this.#left = null // a save of the page before that comes now is refused
    this.#saved = content
    this.#base = version
    this.#remember()
    if (this.#isDirty) this.#save.request()
  }

  #catchUp() {
    if (!this.#isSaving && this.#newest > this.#base && this.#newest !== this.#offer?.version)
      this.#follow.request()
  }

  async #load() {
    if (this.#isSaving || this.#isHeld) return
    const [base, sendings] = [this.#base, this.#sendings]
    const stored = await this.#server.load()
    if (this.#base !== base || this.#sendings !== sendings)
      this.#follow.request() // saved or sent meanwhile: this answer may be older
    else if (stored && !this.#isSaving) this.#onStored(stored)
  }

  /** Takes what the server has: shown at once only where nothing was written and no one is writing. */
  #onStored(stored) {
    this.#newest = Math.max(this.#newest, stored.version)
    if (this.#isHeld) return
    if (stored.version === this.#base && isSame(stored.content, this.#saved)) return
    const isOwn = this.#left && isSame(stored.content, this.#left)
    if (isOwn || isSame(stored.content, this.#form.read())) this.#agree(stored)
    else if (isEmpty(stored.content) && this.#isDirty) this.#agree(stored)
    else if (!this.#isDirty && (isEmpty(stored.content) || !this.#form.isInUse())) this.#take(stored)
    else this.#setOffer(stored)
  }

  #take(stored) {
    this.#form.write(stored.content)
    this.#agree(stored)
  }

  /** What is written here is now a change of `stored`. */
  #agree(stored) {
    this.#left = null
    this.#base = stored.version
    this.#saved = normalized(stored.content)
    this.#setOffer(null)
    this.#saveLater()
  }

  #setOffer(offer) {
    if (this.#offer === null && offer === null) return
    this.#offer = offer
    this.#onOffer(offer?.content ?? null)
  }

  /** Keeps what is written in this browser. */
  #remember() {
    const content = this.#form.read()
    const isSynced = !this.#isDirty
    if (isSynced && isEmpty(content)) this.#local.remove()
    else this.#local.save({ content, base: this.#base, isSynced })
  }
}

/** Returns whether the person has written and attached nothing. */
export function isEmpty({ text, files = [], values = {} }) {
  return !text && files.length === 0 && !values.subject && !values.customer
}

function isSame(one, other) {
  return JSON.stringify(normalized(one)) === JSON.stringify(normalized(other))
}

/** Returns the content in a form that can be compared; of empty ones nothing else counts. */
function normalized(content) {
  if (!content || isEmpty(content)) return { text: "", isNote: false, values: {}, files: [] }
  const { text, isNote = false, values = {}, files = [] } = content
  const sorted = Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== "")
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )
  return {
    text,
    isNote,
    values: sorted,
    files: files.map(({ id, filename, size }) => ({ id, filename, size: Number(size) })),
  }
}
