/** A draft that several pages of one person write: what is saved, shown and offered. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { SyncedDraft } from "../../static/js/lib/drafts/synced-draft.js"
import { FakeClock } from "./clock.js"

const EMPTY = { version: 0, content: { text: "" } }

/** The server of all pages. */
class FakeServer {
  stored = EMPTY
  saves = []
  isUp = true
  isReachable = () => this.isUp

  save = async (content, base) => {
    if (!this.isUp) throw new Error("offline")
    this.saves.push(content.text)
    if (base !== this.stored.version && content.text !== this.stored.content.text)
      return { stored: this.stored }
    this.stored = { version: this.stored.version + 1, content }
    return { version: this.stored.version }
  }

  load = async () => this.stored
  saveLast = (content, base) => this.save(content, base)
}

class FakeForm {
  content = { text: "" }
  inUse = false
  read = () => this.content
  write = (content) => {
    this.content = content
  }
  isInUse = () => this.inUse
}

function page(server, clock, kept = null, options = {}) {
  const form = new FakeForm()
  const local = { kept }
  local.load = () => local.kept
  local.save = (draft) => {
    local.kept = draft
  }
  local.remove = () => {
    local.kept = null
  }
  const offers = []
  const draft = new SyncedDraft({ form, server, local, onOffer: (offer) => offers.push(offer?.text), clock })
  form.content = server.stored.content
  draft.start(server.stored, options)
  const type = (text) => {
    form.content = { text }
    draft.changed()
  }
  return { form, local, offers, draft, type }
}

function setUp(kept) {
  const clock = new FakeClock()
  const server = new FakeServer()
  return { clock, server, open: (options = {}) => page(server, clock, kept, options) }
}

test("typing saves after a pause, and not with each letter", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  for (const text of ["O", "On", "One"]) {
    one.type(text)
    await clock.advance(100)
  }
  assert.deepEqual([server.saves, one.local.kept.content.text], [[], "One"])
  await clock.advance(1_100)
  assert.deepEqual(server.saves, ["One"])
  assert.equal(one.local.kept.isSynced, true)
})

test("another page shows it unless it has text of its own", async () => {
  const { clock, server, open } = setUp()
  const [one, two, three] = [open(), open(), open()]
  three.type("Mine")
  await clock.advance(500)
  one.type("Hello")
  await clock.advance(1_500)
  for (const each of [two, three]) each.draft.notice(server.stored.version)
  await clock.advance(3_000)
  assert.equal(server.stored.content.text, "Mine")
  assert.equal(one.form.content.text, "Hello")
  assert.deepEqual(one.offers, ["Mine"])
})

test("a page in use is asked, and both choices keep what was not chosen at hand", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Here")
  await clock.advance(1_500)
  server.stored = { version: 2, content: { text: "There" } }
  one.form.inUse = true
  one.draft.notice(2)
  await clock.advance(3_000)
  assert.deepEqual([one.form.content.text, one.offers], ["Here", ["There"]])
  const before = one.draft.takeOffer()
  assert.deepEqual([one.form.content.text, before.text, one.offers.at(-1)], ["There", "Here", undefined])
  one.form.write(before)
  one.draft.changed()
  await clock.advance(5_000)
  assert.deepEqual(server.stored, { version: 3, content: server.stored.content })
  assert.equal(server.stored.content.text, "Here")
})

test("a kept version replaces the other one only when the person says so", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Here")
  server.stored = { version: 1, content: { text: "There" } }
  await clock.advance(5_000)
  assert.equal(server.stored.content.text, "There")
  one.draft.refuseOffer()
  await clock.advance(5_000)
  assert.deepEqual([server.stored.version, server.stored.content.text], [2, "Here"])
})

test("what was sent is not saved again by a save that was under way", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Hello")
  await clock.advance(1_500)
  one.form.content = { text: "" }
  one.draft.sent()
  server.stored = { version: 2, content: { text: "" } }
  await clock.advance(5_000)
  assert.deepEqual([server.stored.content.text, one.local.kept], ["", null])
  one.type("Next")
  await clock.advance(10_000)
  assert.equal(server.stored.content.text, "Next")
  assert.deepEqual(one.offers, [])
})

test("a text that the person removes is removed on the server, before the page is left", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Hello")
  await clock.advance(1_500)
  one.type("")
  await clock.advance(5_000)
  assert.deepEqual([server.stored.content.text, one.local.kept], ["", null])
})

test("what was saved as the page before was left does not come back once a change of it was sent", async () => {
  const { clock, server, open } = setUp(kept(3, false))
  server.stored = { version: 3, content: { text: "Older" } }
  const one = open()
  server.stored = { version: 4, content: { text: "Kept" } }
  one.type("Changed")
  one.form.content = { text: "" }
  one.draft.sent()
  await clock.advance(5_000)
  assert.deepEqual([one.form.content.text, one.offers, server.stored.content.text], ["", [], ""])
})

test("what was saved as the page before was left is no one else's version", async () => {
  const { clock, server, open } = setUp(kept(3, false))
  server.stored = { version: 3, content: { text: "Older" } }
  const one = open()
  server.stored = { version: 4, content: { text: "Kept" } }
  one.type("Changed")
  await clock.advance(10_000)
  assert.deepEqual([server.stored.content.text, one.offers], ["Changed", []])
})

test("a draft sent elsewhere leaves the page, and a later text stays", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Hello")
  await clock.advance(1_500)
  const two = open()
  two.type("Hello, and more")
  server.stored = { version: 2, content: { text: "" } }
  for (const each of [one, two]) each.draft.notice(2)
  await clock.advance(5_000)
  assert.equal(one.form.content.text, "")
  assert.equal(two.form.content.text, "Hello, and more")
  assert.equal(server.stored.content.text, "Hello, and more")
})

test("what was typed offline is saved on return", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  server.isUp = false
  one.type("In the tunnel")
  await clock.advance(60_000)
  assert.deepEqual(server.saves, [])
  server.isUp = true
  one.draft.check()
  await clock.advance(5_000)
  assert.equal(server.stored.content.text, "In the tunnel")
})

const kept = (base, isSynced) => ({ content: { text: "Kept" }, base, isSynced })

for (const [title, local, shown, offered] of [
  ["its successor here is shown", kept(3, false), "Kept", []],
  ["a version that was saved before is not", kept(2, true), "Stored", []],
  ["a version that was not saved is shown, and the stored one offered", kept(2, false), "Kept", ["Stored"]],
]) {
  test(`of a stored draft ${title}`, async () => {
    const { server, open } = setUp(local)
    server.stored = { version: 3, content: { text: "Stored" } }
    const one = open()
    assert.deepEqual([one.form.content.text, one.offers], [shown, offered])
  })
}

for (const [title, stored, shown] of [
  ["is not shown again once it was sent", { version: 4, content: { text: "" } }, ""],
  ["stays if it did not reach the server", { version: 3, content: { text: "" } }, "Kept"],
]) {
  test(`what was submitted ${title}`, async () => {
    const { server, open } = setUp(kept(3, false))
    server.stored = stored
    const one = open({ wasSubmitted: true })
    assert.equal(one.form.content.text, shown)
  })
}

test("a form that is shown again keeps what was submitted", async () => {
  const { clock, server, open } = setUp()
  server.stored = { version: 4, content: { text: "Older" } }
  const one = open()
  one.form.content = { text: "Submitted" }
  one.draft.start(server.stored, { submittedBase: 4 })
  await clock.advance(2_000)
  assert.equal(server.stored.content.text, "Submitted")
})

test("what was submitted is not saved again while the answer is awaited, and typing goes on", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Hello")
  one.draft.submitted()
  server.stored = { version: 1, content: { text: "" } }
  one.draft.notice(1)
  await clock.advance(5_000)
  one.draft.leave()
  assert.deepEqual([server.stored.content.text, server.saves], ["", []])
  assert.deepEqual([one.local.kept.content.text, one.local.kept.base], ["Hello", 0])
  one.type("Hello again")
  await clock.advance(10_000)
  assert.equal(server.stored.content.text, "Hello again")
})

test("a page that is left saves what it has not saved", async () => {
  const { server, open } = setUp()
  const one = open()
  one.type("Half a")
  one.draft.leave()
  assert.deepEqual(server.saves, ["Half a"])
  const two = open()
  two.draft.leave()
  assert.deepEqual(server.saves, ["Half a"])
})

test("an answer from before a save does not empty the page", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  let answer
  server.load = () => new Promise((resolve) => (answer = resolve))
  one.draft.look()
  await clock.advance(2_000)
  one.type("Typed")
  await one.draft.flush()
  server.load = async () => server.stored
  answer(EMPTY)
  await clock.advance(2_000)
  assert.deepEqual([one.form.content.text, server.stored.content.text, one.offers], ["Typed", "Typed", []])
})

test("a page rendered before a save shows what was saved, unless it was sent since", async () => {
  const { clock, server, open } = setUp()
  const before = open()
  before.type("One")
  await clock.advance(1_100)
  const { kept } = before.local
  const { stored } = server

  server.stored = EMPTY
  const after = page(server, clock, kept)
  server.stored = stored
  assert.equal(after.form.content.text, "One")
  await clock.advance(2_000)
  assert.deepEqual([after.form.content.text, after.local.kept.content.text], ["One", "One"])

  server.stored = EMPTY
  const later = page(server, clock, kept)
  await clock.advance(2_000)
  assert.deepEqual([later.form.content.text, later.local.kept], ["", null])
})

test("an answer from before a message was sent does not bring its draft back", async () => {
  for (const inUse of [false, true]) {
    const { clock, server, open } = setUp()
    server.stored = { version: 1, content: { text: "Hello" } }
    const one = open()
    one.form.inUse = inUse
    const before = server.stored
    let answer
    server.load = () => new Promise((resolve) => (answer = resolve))
    one.draft.look()
    await clock.advance(2_000)
    one.type("Hello there")
    server.stored = { version: 2, content: { text: "" } }
    server.load = async () => server.stored
    one.form.write({ text: "" })
    one.draft.sent()
    answer(before)
    await clock.advance(5_000)
    assert.deepEqual([one.form.content.text, one.offers, server.stored.content.text], ["", [], ""])
    server.stored = { version: 3, content: { text: "From elsewhere" } }
    one.form.inUse = false
    one.draft.notice(3)
    await clock.advance(3_000)
    assert.equal(one.form.content.text, "From elsewhere")
  }
})

test("a save refused before a message was sent does not bring the older draft back", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  let answer
  server.save = () => new Promise((resolve) => (answer = resolve))
  one.type("Hello there")
  await clock.advance(1_100)
  server.stored = { version: 2, content: { text: "" } }
  one.form.write({ text: "" })
  one.draft.sent()
  answer({ stored: { version: 1, content: { text: "Hello" } } })
  await clock.advance(5_000)
  assert.deepEqual([one.form.content.text, one.offers, one.local.kept], ["", [], null])
})

test("a draft that ended while its message was being sent does not come back, and what was typed in that time is kept", async () => {
  for (const typed of ["", " And thanks"]) {
    const { clock, server, open } = setUp()
    const one = open()
    one.type("Hello")
    await clock.advance(1_100)
    one.type("Hello there")
    one.draft.sending()
    server.stored = { version: 2, content: { text: "" } }
    one.draft.notice(2)
    if (typed) one.type(`Hello there${typed}`)
    await clock.advance(8_000)
    assert.deepEqual(server.saves, ["Hello"])
    one.form.write({ text: typed })
    one.draft.sent()
    one.draft.settled()
    await clock.advance(8_000)
    assert.deepEqual([one.form.content.text, server.stored.content.text, one.offers], [typed, typed, []])
  }
})

test("a message that could not be sent is saved as a draft again", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  one.type("Hello there")
  one.draft.sending()
  await clock.advance(3_000)
  assert.deepEqual([server.saves, one.local.kept.content.text], [[], "Hello there"])
  one.draft.settled()
  await clock.advance(3_000)
  assert.deepEqual(server.saves, ["Hello there"])
})

test("a draft that was saved between the rendering of a page and its connection is shown", async () => {
  const { clock, server, open } = setUp()
  server.stored = { version: 1, content: { text: "Half an" } }
  const one = open()
  server.stored = { version: 2, content: { text: "Half an answer" } }
  one.draft.check()
  await clock.advance(3_000)
  assert.equal(one.form.content.text, "Half an answer")
})

test("a page without a draft does not ask for one when it is connected", async () => {
  const { clock, server, open } = setUp()
  const one = open()
  let asked = 0
  server.load = async () => {
    asked += 1
    return server.stored
  }
  one.draft.check()
  await clock.advance(3_000)
  assert.equal(asked, 0)
  one.draft.look()
  await clock.advance(3_000)
  assert.equal(asked, 1)
})
