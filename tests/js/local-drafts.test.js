/** Drafts in the browser's storage. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { LocalDrafts } from "../../static/js/lib/drafts/local-drafts.js"

const DAY = 86_400_000

class FakeStorage {
  #items = new Map()
  isFull = false

  get length() {
    return this.#items.size
  }

  key = (index) => [...this.#items.keys()][index] ?? null
  getItem = (key) => this.#items.get(key) ?? null
  removeItem = (key) => this.#items.delete(key)

  setItem(key, value) {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError")
    this.#items.set(key, value)
  }
}

function setUp() {
  const storage = new FakeStorage()
  const clock = { time: 100 * DAY, now: () => clock.time }
  const of = (user) => new LocalDrafts(user, storage, clock)
  return { storage, clock, of }
}

test("a draft is read by its user only, on any page", () => {
  const { of } = setUp()
  of("casey").save("ticket", { text: "Half a question" })
  assert.equal(of("casey").load("ticket").text, "Half a question")
  assert.equal(of("casey").load("another"), null)
  assert.equal(of("greta").load("ticket"), null)
})

test("signing out removes every draft and nothing else", () => {
  const { of, storage } = setUp()
  storage.setItem("theme", "dark")
  const drafts = of("casey")
  drafts.save("one", { text: "1" })
  drafts.save("two", { text: "2" })
  drafts.clear()
  drafts.save("three", { text: "3" }) // the page is left
  assert.deepEqual([storage.length, storage.getItem("theme")], [1, "dark"])
})

test("a page removes the drafts of other users and old ones", () => {
  const { of, clock, storage } = setUp()
  of("casey").save("ticket", { text: "Casey's" })
  of("greta").save("old", { text: "Old" })
  clock.time += 31 * DAY
  of("greta").save("new", { text: "New" })
  of("greta").prune()
  assert.equal(storage.length, 1)
  assert.equal(of("greta").load("new").text, "New")
})

for (const broken of ["", "{", "null", "[]", '"text"', "undefined"]) {
  test(`what is no draft (${broken}) breaks nothing`, () => {
    const { of, storage } = setUp()
    storage.setItem("draft:casey:ticket", broken)
    assert.ok([null, undefined].includes(of("casey").load("ticket")?.text))
    of("casey").prune()
  })
}

test("a full or forbidden storage breaks nothing", () => {
  const { of, storage } = setUp()
  storage.isFull = true
  of("casey").save("ticket", { text: "Half a question" })
  assert.equal(of("casey").load("ticket"), null)
})
