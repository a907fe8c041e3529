/** What a person sees of events that come late, twice, out of order, or not at all. */

import assert from "node:assert/strict"
import { test } from "node:test"

import { EventStream } from "../../static/js/live/event-stream.js"
import { FakeClock, settle } from "./clock.js"

const TICKET = "11111111-0000-4000-8000-000000000000"
const OTHER = "22222222-0000-4000-8000-000000000000"
const CHANNEL = `private-tickets.${TICKET}`
const REPLY = "ticket.reply.created"
const UPDATED = "ticket.updated"
const WITHDRAWN = "ticket.withdrawn"
const TIMESTAMP = "2026-01-01T09:00:00Z"

function reply(seq, ticket = TICKET) {
  return { event_id: `${ticket}/${seq}`, ticket: { uuid: ticket }, seq, timestamp: TIMESTAMP }
}

function withdrawal(id = "withdrawal") {
  return { event_id: id, ticket: { uuid: TICKET }, timestamp: TIMESTAMP }
}

function logged(data, event = REPLY, channel = CHANNEL) {
  return { event, channel, data }
}

function replies(...seqs) {
  return seqs.map((seq) => logged(reply(seq)))
}

function failure(status, more = {}) {
  return Object.assign(new Error(`HTTP ${status}`), { status }, more)
}

/** A history whose answers the test gives by hand, oldest question first. */
class History {
  asked = []
  #open = []

  fetch = ({ since, channels }) => {
    this.asked.push({ since, channels })
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  async answer(events = [], { cursor = "later", reset = false } = {}) {
    this.#open.shift().resolve({ events, cursor, reset })
    await settle()
  }

  async fail(error = new TypeError("Failed to fetch")) {
    this.#open.shift().reject(error)
    await settle()
  }
}

/** A page that follows its ticket and records the events it applies. */
function openPage({ channels = [CHANNEL], shows = { [TICKET]: 1 }, random } = {}) {
  const history = new History()
  const clock = new FakeClock(random)
  const stream = new EventStream({ fetchHistory: history.fetch, cursor: "embedded", clock })
  const page = { stream, history, clock, shown: [], resets: [], refused: [], caughtUp: [] }
  for (const channel of channels) stream.follow(channel)
  for (const [ticket, seq] of Object.entries(shows)) stream.setSequence(ticket, seq)
  stream.on("*", (data) => page.shown.push(data?.seq ?? data?.event_id))
  stream.on("stream:reset", (data) => page.resets.push(data))
  stream.on("stream:refused", (data) => page.refused.push(data.channel))
  stream.on("stream:caughtup", (data) => page.caughtUp.push(data.applied))
  page.receive = (...seqs) => {
    for (const seq of seqs) stream.receive(REPLY, reply(seq))
  }
  return page
}

function numbered(count) {
  return Array.from({ length: count }, (_, index) => `private-office.${index}`)
}

async function reportedBy(act) {
  const errors = []
  globalThis.reportError = (error) => errors.push(error.message)
  try {
    await act()
  } finally {
    delete globalThis.reportError
  }
  return errors
}

// Order

test("a reply is applied as soon as it is received", () => {
  const page = openPage()
  page.receive(2)
  assert.deepEqual(page.shown, [2])
})

test("a reply that the page was rendered with is neither shown again nor asked about", async () => {
  const page = openPage({ shows: { [TICKET]: 5 } })
  page.receive(4, 5, 6)
  assert.deepEqual(page.shown, [6])
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("a reply received on two channels is applied once", () => {
  const page = openPage()
  page.receive(2, 2, 3, 2, 3)
  assert.deepEqual(page.shown, [2, 3])
})

test("a reply that comes again while it waits its turn is shown once", () => {
  const page = openPage()
  page.receive(3, 3, 2, 3)
  assert.deepEqual(page.shown, [2, 3])
})

test("replies that overtake each other on the way are shown in order", () => {
  const page = openPage()
  page.receive(4, 3, 5, 2)
  assert.deepEqual(page.shown, [2, 3, 4, 5])
})

test("a list that never saw a ticket shows its first event and goes on from there", () => {
  const page = openPage({ shows: {} })
  page.receive(7, 6, 9, 8)
  assert.deepEqual(page.shown, [7, 8, 9])
})

test("a ticket with a gap does not hold up another ticket", () => {
  const page = openPage({ shows: { [TICKET]: 1, [OTHER]: 1 } })
  page.receive(3)
  page.stream.receive(REPLY, reply(2, OTHER))
  assert.deepEqual(page.shown, [2])
})

test("a page that forgot a ticket takes its next event as the first", () => {
  const page = openPage()
  page.receive(5)
  page.stream.forget(TICKET)
  page.receive(9)
  assert.deepEqual(page.shown, [9])
})

test("a forgotten ticket's gap asks nothing any more", async () => {
  const page = openPage()
  page.receive(3)
  page.stream.forget(TICKET)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("an event outside any ticket's order is shown at once, and once", () => {
  const page = openPage()
  page.stream.receive("desk.announced", { event_id: "announced" })
  page.stream.receive("desk.announced", { event_id: "announced" })
  assert.deepEqual(page.shown, ["announced"])
})

test("a client event, which has no id, is applied every time", () => {
  const page = openPage()
  let whispers = 0
  page.stream.on("client-typing", () => whispers++)
  page.stream.receive("client-typing", { user: "Bao" })
  page.stream.receive("client-typing", undefined)
  assert.equal(whispers, 2)
})

test("five thousand events are remembered, and the oldest of them is forgotten first", () => {
  const page = openPage({ shows: {} })
  const announce = (number) => page.stream.receive("desk.announced", { event_id: `announced ${number}` })
  for (let number = 1; number <= 5001; number++) announce(number)
  announce(2)
  assert.equal(page.shown.length, 5001)
  announce(1)
  assert.equal(page.shown.length, 5002)
})

// What the page says it shows

test("a page that renewed itself shows what waited behind the renewed part", () => {
  const page = openPage()
  page.receive(4, 6, 7)
  page.stream.setSequence(TICKET, 5)
  assert.deepEqual(page.shown, [6, 7])
  page.receive(4)
  assert.deepEqual(page.shown, [6, 7])
  assert.deepEqual(page.resets, [])
})

test("a page that is renewed past its gap does not ask the history", async () => {
  const page = openPage()
  page.receive(3)
  page.stream.setSequence(TICKET, 3)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("a fragment older than what was already shown is renewed once, and followed from there", () => {
  const page = openPage()
  page.receive(2, 3)
  page.stream.setSequence(TICKET, 2)
  assert.deepEqual(page.resets, [{ reason: "gap", ticket: TICKET }])
  page.stream.setSequence(TICKET, 3)
  page.receive(4)
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.equal(page.resets.length, 1)
})

test("a number in the page's markup that was never made a number is refused aloud", () => {
  const page = openPage()
  assert.throws(() => page.stream.setSequence(TICKET, "5"), TypeError)
})

// Gaps

test("a page that missed two replies asks the history after 300 ms and shows them in order", async () => {
  const page = openPage()
  page.receive(4)
  await page.clock.advance(299)
  assert.deepEqual(page.history.asked, [])
  await page.clock.advance(1)
  assert.deepEqual(page.history.asked, [{ since: "embedded", channels: [CHANNEL] }])
  await page.history.answer(replies(2, 3, 4))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("a gap that closes by itself within 300 ms costs no request", async () => {
  const page = openPage()
  page.receive(3)
  await page.clock.advance(200)
  page.receive(2)
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

test("a second gap is given its own 300 ms", async () => {
  const page = openPage()
  page.receive(3)
  await page.clock.advance(200)
  page.receive(2, 5)
  await page.clock.advance(299)
  assert.deepEqual(page.history.asked, [])
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 1)
})

test("a gap that no history fills is skipped in order, and the ticket's page renews itself once", async () => {
  const page = openPage()
  page.receive(7, 5)
  await page.clock.advance(300)
  await page.history.answer()
  assert.deepEqual(page.shown, [5, 7])
  assert.deepEqual(page.resets, [{ reason: "gap", ticket: TICKET }])
  page.receive(6, 8)
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, [5, 7, 8])
  assert.equal(page.resets.length, 1)
})

test("pending events are applied before the page is reset", async () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.stream.on("stream:reset", ({ reason }) => received.push(reason))
  page.receive(5)
  await page.clock.advance(300)
  await page.history.answer()
  assert.deepEqual(received, [5, "gap"])
})

test("an answer that was asked for before the gap opened does not count as its last word", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(4)
  await page.history.answer()
  assert.deepEqual(page.shown, [])
  assert.deepEqual(page.resets, [])
  await page.clock.advance(300)
  await page.history.answer(replies(2, 3, 4))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("a gap given up leaves a younger gap its chance", async () => {
  const page = openPage()
  page.receive(4)
  await page.clock.advance(300)
  page.receive(6)
  await page.history.answer()
  assert.deepEqual(page.shown, [4])
  await page.clock.advance(300)
  await page.history.answer(replies(5, 6))
  assert.deepEqual(page.shown, [4, 5, 6])
  assert.equal(page.resets.length, 1)
})

test("while one part of the history cannot be read, a gap is not given up", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.receive(4)
  await page.clock.advance(300)
  await page.history.answer()
  await page.history.fail()
  assert.deepEqual(page.shown, [])
  assert.deepEqual(page.resets, [])
  await page.clock.advance(1000)
  await page.history.answer(replies(2, 3))
  assert.deepEqual(page.shown, [2, 3, 4])
  assert.deepEqual(page.resets, [])
})

test("one part of the history that cannot be read does not hold up the other", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.stream.catchUp()
  await page.history.fail()
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
  assert.deepEqual(page.caughtUp, [])
})

// Withdrawals

test("a ticket that is taken away vanishes at once, and once", () => {
  const page = openPage()
  page.stream.receive(WITHDRAWN, withdrawal())
  page.stream.receive(WITHDRAWN, withdrawal())
  assert.deepEqual(page.shown, ["withdrawal"])
})

test("a ticket that was taken away and comes back is shown from its next event on, as the history has it", async () => {
  const page = openPage()
  page.receive(2)
  page.stream.receive(WITHDRAWN, withdrawal())
  page.receive(9)
  assert.deepEqual(page.shown, [2, "withdrawal"])
  await page.history.answer(replies(9))
  page.receive(10)
  assert.deepEqual(page.shown, [2, "withdrawal", 9, 10])
})

test("an event sent before a withdrawal and received after it does not restore the ticket", async () => {
  const page = openPage()
  page.stream.receive(WITHDRAWN, withdrawal())
  page.receive(2)
  await page.history.answer([logged(withdrawal(), WITHDRAWN)])
  assert.deepEqual(page.shown, ["withdrawal"])
})

test("what waited for a ticket that is taken away is never shown", async () => {
  const page = openPage()
  page.receive(4)
  page.stream.receive(WITHDRAWN, withdrawal())
  await page.history.answer([...replies(2, 3, 4), logged(withdrawal(), WITHDRAWN)])
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, ["withdrawal"])
})

test("a ticket that came back while its withdrawal was being fetched is not lost", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(5)
  await page.history.answer([...replies(2), logged(withdrawal(), WITHDRAWN)], { cursor: "withdrawn" })
  assert.deepEqual(page.shown, [2, "withdrawal"])
  await page.history.answer(replies(5))
  assert.deepEqual(page.shown, [2, "withdrawal", 5])
})

test("history from before a withdrawal does not bring the ticket back", async () => {
  const page = openPage()
  page.stream.receive(WITHDRAWN, withdrawal())
  page.stream.catchUp()
  await page.history.answer([...replies(2, 3), logged(withdrawal(), WITHDRAWN), ...replies(8)])
  assert.deepEqual(page.shown, ["withdrawal", 8])
})

test("an answer on its way when a ticket is taken away does not bring it back", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.receive(WITHDRAWN, withdrawal())
  await page.history.answer(replies(2, 3))
  assert.deepEqual(page.shown, ["withdrawal"])
})

test("a ticket that comes back in a later answer is shown", async () => {
  const page = openPage()
  page.stream.receive(WITHDRAWN, withdrawal())
  page.stream.catchUp()
  await page.history.answer(replies(8))
  assert.deepEqual(page.shown, ["withdrawal", 8])
})

// Test events

test("a test event reaches the toast once and changes nothing on the page", () => {
  const page = openPage()
  const toasts = []
  page.stream.on(UPDATED, (data) => toasts.push(data.seq), { tests: true })
  page.stream.receive(UPDATED, { ...reply(2), event_id: "a test", test: true })
  page.stream.receive(UPDATED, { ...reply(2), event_id: "a test", test: true })
  assert.deepEqual(toasts, [2])
  assert.deepEqual(page.shown, [])
  page.stream.receive(UPDATED, reply(2))
  assert.deepEqual(toasts, [2, 2])
  assert.deepEqual(page.shown, [2])
})

test("a test event far ahead opens no gap, and a test withdrawal takes nothing away", async () => {
  const page = openPage()
  page.stream.receive(REPLY, { ...reply(9), test: true })
  page.stream.receive(WITHDRAWN, { ...withdrawal(), test: true })
  page.receive(3, 2)
  await page.clock.advance(1000)
  assert.deepEqual(page.shown, [2, 3])
  assert.deepEqual(page.history.asked, [])
})

test("a test event is not counted as caught up", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  await page.history.answer([logged({ ...reply(9), test: true }), logged(reply(2))])
  assert.equal(await caughtUp, 1)
})

// History

test("a page starts from the cursor it was rendered with, then goes on from the answer's", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer(replies(2), { cursor: "second" })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ since }) => since),
    ["embedded", "second"],
  )
})

test("an answer that could not be handed over whole is asked for again from the same cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([logged(reply(2)), null, logged(reply(3))])
  await page.clock.advance(1000)
  await page.history.answer(replies(2, 3))
  assert.deepEqual(
    page.history.asked.map(({ since }) => since),
    ["embedded", "embedded"],
  )
  assert.deepEqual(page.shown, [2, 3])
})

test("an answer that makes no sense is asked for again", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer("<h1>Please sign in to this hotel's network</h1>")
  await page.clock.advance(1000)
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("replies received during a history request are ordered with its events", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.receive(5, 4)
  await page.history.answer(replies(2, 3, 4))
  page.receive(6)
  assert.deepEqual(page.shown, [2, 3, 4, 5, 6])
})

test("a page that catches up reports how many events it had missed", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  page.receive(2, 5)
  await page.history.answer(replies(2, 3, 4))
  assert.equal(await caughtUp, 3)
  assert.deepEqual(page.caughtUp, [3])
})

test("a page that missed nothing continues from the new cursor on each channel", async () => {
  const page = openPage({ channels: numbered(3) })
  const asked = []
  const isNothing = await page.stream.checkMissed(async (question) => {
    asked.push(question)
    return "further"
  })
  assert.deepEqual([isNothing, page.caughtUp], [true, [0]])
  assert.deepEqual(asked, [{ since: "embedded", channels: numbered(3) }])
  page.stream.catchUp()
  assert.deepEqual(page.history.asked, [{ since: "further", channels: numbered(3) }])
})

test("a page that may have missed something on one of many channels asks about all from where it stands", async () => {
  const page = openPage({ channels: numbered(21) })
  const isNothing = await page.stream.checkMissed(async ({ channels }) =>
    channels.length === 1 ? null : "further",
  )
  assert.deepEqual([isNothing, page.caughtUp], [false, []])
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ since, channels }) => [since, channels.length]),
    [
      ["embedded", 20],
      ["embedded", 1],
    ],
  )
})

test("an answer about a channel that has been read further meanwhile does not set it back", async () => {
  const page = openPage()
  let answer
  const recalled = page.stream.checkMissed(() => new Promise((resolve) => (answer = resolve)))
  page.stream.catchUp()
  await page.history.answer(replies(2), { cursor: "furthest" })
  answer("further")
  await recalled
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "furthest")
})

test("what a given-up gap held back counts as caught up", async () => {
  const page = openPage()
  page.receive(5, 6)
  const caughtUp = page.stream.catchUp()
  await page.history.answer()
  assert.equal(await caughtUp, 2)
})

test("a page that slept longer than the log reaches renews itself and goes on from the new cursor", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([], { cursor: "present", reset: true })
  assert.deepEqual(page.resets, [{ reason: "log" }])
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "present")
})

test("an agent of many offices asks for at most twenty channels at a time, each part from its own cursor", async () => {
  const page = openPage({ channels: numbered(45) })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.map(({ channels }) => channels.length),
    [20, 20, 5],
  )
  assert.deepEqual(
    page.history.asked.flatMap(({ channels }) => channels),
    numbered(45),
  )
  for (const cursor of ["a", "b", "c"]) await page.history.answer([], { cursor })
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.slice(3).map(({ since, channels }) => [since, channels[0]]),
    [
      ["a", "private-office.0"],
      ["b", "private-office.20"],
      ["c", "private-office.40"],
    ],
  )
})

test("channels that have been read equally far share a request", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.follow("private-office.1")
  await page.history.answer([], { cursor: "now" })
  page.stream.catchUp()
  await page.history.answer([], { cursor: "now" })
  await page.history.answer([], { cursor: "now" })
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.1"])
})

test("an office joined during a request is read from the page's own cursor in the next one", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.follow("private-office.1")
  await page.history.answer([], { cursor: "second" })
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.slice(1), [
    { since: "second", channels: [CHANNEL] },
    { since: "embedded", channels: ["private-office.1"] },
  ])
})

test("following a channel twice does not read it again from the beginning", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.answer([], { cursor: "second" })
  page.stream.follow(CHANNEL)
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "second")
})

test("a channel that was left is not asked for, not even by a request that is being retried", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1"] })
  page.stream.catchUp()
  page.stream.unfollow("private-office.1")
  await page.history.fail()
  await page.clock.advance(1000)
  await page.history.answer()
  page.stream.catchUp()
  assert.deepEqual(
    page.history.asked.slice(1).map(({ channels }) => channels),
    [[CHANNEL], [CHANNEL]],
  )
})

test("a channel left while its answer was on the way stays left", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.unfollow(CHANNEL)
  await page.history.answer()
  await page.stream.catchUp()
  assert.equal(page.history.asked.length, 1)
})

test("a page that follows nothing asks nothing and does not claim to have caught up", async () => {
  const page = openPage({ channels: [] })
  assert.equal(await page.stream.catchUp(), 0)
  assert.equal(await page.stream.catchUp(), 0)
  assert.deepEqual(page.history.asked, [])
  assert.deepEqual(page.caughtUp, [])
})

test("however many parts of a page ask at once, the history is asked once more", async () => {
  const page = openPage()
  const first = page.stream.catchUp()
  const others = [page.stream.catchUp(), page.stream.catchUp(), page.stream.catchUp()]
  assert.equal(page.history.asked.length, 1)
  await page.history.answer(replies(2), { cursor: "second" })
  assert.equal(page.history.asked.length, 2)
  await page.history.answer(replies(3, 4))
  assert.equal(await first, 1)
  assert.deepEqual(await Promise.all(others), [2, 2, 2])
  assert.equal(page.history.asked.length, 2)
})

test("a request between two rounds joins the second", async () => {
  const page = openPage()
  const first = page.stream.catchUp().then(() => page.stream.catchUp())
  page.stream.catchUp()
  await page.history.answer()
  await page.history.answer(replies(2))
  assert.equal(await first, 1)
  assert.equal(page.history.asked.length, 2)
})

// Failures

test("a page cut off from the server retries ever more slowly, up to 30 s, until it gets through", async () => {
  const page = openPage({ random: () => 1 })
  page.stream.catchUp()
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    const asked = page.history.asked.length
    await page.history.fail(asked % 2 ? undefined : failure(503))
    await page.clock.advance(seconds * 1000 - 1)
    assert.equal(page.history.asked.length, asked)
    await page.clock.advance(1)
    assert.equal(page.history.asked.length, asked + 1)
  }
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("pages cut off together come back at different moments", async () => {
  const page = openPage({ random: () => 0.25 })
  page.stream.catchUp()
  await page.history.fail()
  await page.clock.advance(249)
  assert.equal(page.history.asked.length, 1)
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 2)
})

for (const [status, why] of [
  [429, "it asks too much"],
  [503, "the server is busy"],
]) {
  test(`a page waits for Retry-After when ${why}`, async () => {
    const page = openPage()
    page.stream.catchUp()
    await page.history.fail(failure(status, { retryAfter: 7 }))
    await page.clock.advance(6999)
    assert.equal(page.history.asked.length, 1)
    await page.clock.advance(1)
    assert.equal(page.history.asked.length, 2)
  })
}

test("a throttled page without Retry-After backs off like any other", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(429, { retryAfter: 0 }))
  await page.clock.advance(499)
  assert.equal(page.history.asked.length, 1)
  await page.clock.advance(1)
  assert.equal(page.history.asked.length, 2)
})

test("a page that knows the server is back does not wait out its failure", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail()
  page.stream.retryNow()
  await settle()
  assert.equal(page.history.asked.length, 2)
  assert.equal(page.clock.pending, 0)
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
})

test("a page in a hurry asks a server that was busy once more", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(503, { retryAfter: 7 }))
  page.stream.retryNow()
  await settle()
  assert.equal(page.history.asked.length, 2)
})

test("a page that has its answer from elsewhere asks at once about what is missing next", async () => {
  for (const status of [429, 503]) {
    const page = openPage()
    page.stream.catchUp()
    await page.history.fail(failure(status, { retryAfter: 30 }))
    await page.stream.checkMissed(async () => "further")
    await settle()
    assert.equal(page.history.asked.length, 1)
    page.receive(3)
    await page.clock.advance(300)
    assert.deepEqual(page.history.asked[1], { since: "further", channels: [CHANNEL] })
  }
})

test("retryNow does not shorten the Retry-After of a throttled page", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(429, { retryAfter: 7 }))
  page.stream.retryNow()
  await page.clock.advance(6999)
  assert.equal(page.history.asked.length, 1)
})

test("a channel whose access has ended is said so and left, and the rest is read at once", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1", "private-office.2"] })
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: ["private-office.1"] }))
  assert.deepEqual(page.refused, ["private-office.1"])
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.2"])
  await page.history.answer(replies(2))
  assert.deepEqual(page.shown, [2])
  page.stream.catchUp()
  assert.deepEqual(page.history.asked.at(-1).channels, [CHANNEL, "private-office.2"])
})

for (const status of [401, 403]) {
  test(`a page whose session has ended (${status}) drops each channel and stops asking`, async () => {
    const page = openPage({ channels: [CHANNEL, "private-office.1"] })
    const caughtUp = page.stream.catchUp()
    await page.history.fail(failure(status))
    assert.deepEqual(page.refused, [CHANNEL, "private-office.1"])
    assert.equal(await caughtUp, 0)
    await page.clock.advance(60_000)
    assert.equal(page.history.asked.length, 1)
    assert.deepEqual(page.caughtUp, [])
  })
}

test("a refusal that names none of the page's channels stops the requests", async () => {
  const page = openPage()
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: ["private-office.99"] }))
  assert.deepEqual(page.refused, [CHANNEL])
  assert.equal(page.history.asked.length, 1)
})

test("a channel refused in one part leaves the other parts alone", async () => {
  const page = openPage({ channels: [...numbered(20), CHANNEL] })
  page.stream.catchUp()
  await page.history.fail(failure(401))
  await page.history.answer(replies(2))
  assert.deepEqual(page.refused, numbered(20))
  assert.deepEqual(page.shown, [2])
})

test("a page that follows a refused channel again at once asks for it the next time, not in circles", async () => {
  const page = openPage()
  page.stream.on("stream:refused", ({ channel }) => page.stream.follow(channel))
  page.stream.catchUp()
  await page.history.fail(failure(403, { refused: [CHANNEL] }))
  assert.equal(page.history.asked.length, 1)
  page.stream.catchUp()
  assert.deepEqual(page.history.asked[1], { since: "embedded", channels: [CHANNEL] })
})

test("a repeated refusal is reported once", async () => {
  const page = openPage({ channels: [CHANNEL, "private-office.1"] })
  page.stream.catchUp()
  page.stream.unfollow(CHANNEL)
  await page.history.fail(failure(403, { refused: [CHANNEL] }))
  assert.deepEqual(page.refused, [])
  assert.deepEqual(page.history.asked.at(-1).channels, ["private-office.1"])
})

// The end

test("a page that closes during a request is let go and shows nothing more", async () => {
  const page = openPage()
  const caughtUp = page.stream.catchUp()
  const queued = page.stream.catchUp()
  page.stream.close()
  assert.deepEqual(await Promise.all([caughtUp, queued]), [0, 0])
  await page.history.answer(replies(2), { reset: true })
  page.receive(2)
  assert.deepEqual(page.shown, [])
  assert.deepEqual([...page.resets, ...page.caughtUp], [])
  assert.equal(await page.stream.catchUp(), 0)
  assert.equal(page.history.asked.length, 1)
})

test("a page that closes while it waits to retry is let go and leaves no timer behind", async () => {
  const page = openPage()
  page.receive(3)
  const caughtUp = page.stream.catchUp()
  await page.history.fail()
  assert.equal(page.clock.pending, 2)
  page.stream.close()
  assert.equal(await caughtUp, 0)
  assert.equal(page.clock.pending, 0)
  await page.clock.advance(60_000)
  assert.equal(page.history.asked.length, 1)
})

test("a failure that comes in after the page has closed starts nothing", async () => {
  const page = openPage()
  page.stream.catchUp()
  page.stream.close()
  await page.history.fail()
  assert.equal(page.clock.pending, 0)
})

test("a page that closes on an event receives none of the pending ones", () => {
  const page = openPage()
  page.stream.on(REPLY, () => page.stream.close())
  page.receive(4, 3, 2)
  assert.deepEqual(page.shown, [2])
  assert.equal(page.clock.pending, 0)
})

// Handlers

test("a handler that throws blocks neither other handlers nor the order", async () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  const errors = await reportedBy(() => page.receive(3, 2, 4))
  assert.deepEqual(received, [2, 3, 4])
  assert.deepEqual(errors, ["broken part", "broken part", "broken part"])
})

test("a handler that throws does not make the history repeat events", async () => {
  const page = openPage()
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  await reportedBy(async () => {
    page.stream.catchUp()
    await page.history.answer(replies(2, 3), { cursor: "second" })
  })
  page.stream.catchUp()
  assert.equal(page.history.asked.at(-1).since, "second")
})

test("where errors cannot be reported they go to the console", (t) => {
  const error = t.mock.method(console, "error", () => {})
  const page = openPage()
  page.stream.on(REPLY, () => {
    throw new Error("broken part")
  })
  page.receive(2)
  assert.equal(error.mock.calls[0].arguments[0].message, "broken part")
})

test("a handler receives its named events until it is removed", () => {
  const page = openPage()
  const received = []
  const takeOff = page.stream.on(UPDATED, (data, name) => received.push([name, data.seq]))
  page.stream.receive(UPDATED, reply(2))
  page.receive(3)
  takeOff()
  page.stream.receive(UPDATED, reply(4))
  assert.deepEqual(received, [[UPDATED, 2]])
})

test("a handler removed by another one does not receive the current event", () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, () => takeOff())
  const takeOff = page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.receive(2)
  assert.deepEqual(received, [])
})

test("a handler for all events receives none of the stream's own", async () => {
  const page = openPage()
  const names = []
  page.stream.on("*", (_, name) => names.push(name))
  page.stream.catchUp()
  await page.history.answer(replies(2), { reset: true })
  assert.deepEqual(names, [REPLY])
  assert.deepEqual(page.resets, [{ reason: "log" }])
})

test("an event caused by a handler is delivered after the current one", () => {
  const page = openPage()
  const received = []
  page.stream.on(REPLY, ({ seq }) => {
    if (seq === 2) page.receive(3)
  })
  page.stream.on(REPLY, ({ seq }) => received.push(seq))
  page.receive(2)
  assert.deepEqual(received, [2, 3])
})

test("a part of the page may forget the ticket while its replies are being handed over", async () => {
  const page = openPage()
  page.stream.on(REPLY, ({ seq }) => {
    if (seq === 2) page.stream.forget(TICKET)
  })
  page.receive(4, 3, 2)
  assert.deepEqual(page.shown, [2])
  await page.clock.advance(1000)
  assert.deepEqual(page.history.asked, [])
})

// Any order whatsoever

/** Returns a generator of numbers in [0, 1) that `seed` decides. */
function seeded(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
  }
}

/** A desk with a log, a socket that loses, doubles and shuffles, and a history that often fails. */
class UnreliableDesk {
  log = []
  onTheWay = []
  #seqs = new Map()
  #subscribed = new Set()

  constructor({ chance, clock }) {
    this.chance = chance
    this.clock = clock
  }

  pick(list) {
    return list[Math.floor(this.chance() * list.length)]
  }

  subscribe(ticket, stream) {
    const channel = `private-tickets.${ticket}`
    this.#subscribed.add(channel)
    stream.follow(channel)
  }

  commit(ticket) {
    const seq = (this.#seqs.get(ticket) ?? 0) + 1
    this.#seqs.set(ticket, seq)
    const event = logged(reply(seq, ticket), REPLY, `private-tickets.${ticket}`)
    this.log.push(event)
    if (!this.#subscribed.has(event.channel)) return
    if (this.chance() < 0.6) this.onTheWay.push(event)
    if (this.chance() < 0.3) this.onTheWay.push(event)
  }

  deliver(stream) {
    if (this.onTheWay.length === 0) return
    const [event] = this.onTheWay.splice(Math.floor(this.chance() * this.onTheWay.length), 1)
    stream.receive(event.event, event.data)
  }

  fetch = async ({ since, channels }) => {
    if (this.chance() < 0.3)
      throw this.pick([new TypeError("cut"), failure(500), failure(429, { retryAfter: 2 })])
    const events = this.log.slice(Number(since)).filter(({ channel }) => channels.includes(channel))
    const cursor = String(this.log.length)
    await new Promise((resolve) => this.clock.setTimeout(resolve, this.chance() * 400))
    return { events, cursor, reset: false }
  }
}

/** A page at an unreliable desk: it shows every ticket from its beginning, and follows them one by one. */
function openUnreliablePage(seed) {
  const chance = seeded(seed)
  const clock = new FakeClock(chance)
  const desk = new UnreliableDesk({ chance, clock })
  const tickets = Array.from({ length: 2 + Math.floor(chance() * 30) }, (_, index) => `ticket-${index}`)
  const stream = new EventStream({ fetchHistory: desk.fetch, cursor: "0", clock })
  const page = { chance, clock, desk, tickets, stream, resets: [] }
  page.applied = new Map(tickets.map((ticket) => [ticket, []]))
  for (const ticket of tickets) stream.setSequence(ticket, 0)
  stream.on(REPLY, ({ ticket, seq }) => page.applied.get(ticket.uuid).push(seq))
  stream.on("stream:reset", (data) => page.resets.push(data))
  return page
}

function anyStep({ chance, clock, desk, tickets, stream }) {
  return desk.pick([
    () => desk.subscribe(desk.pick(tickets), stream),
    () => desk.commit(desk.pick(tickets)),
    () => desk.commit(desk.pick(tickets)),
    () => desk.deliver(stream),
    () => desk.deliver(stream),
    () => void stream.catchUp(),
    () => clock.advance(chance() * 250),
  ])
}

async function liveThrough(seed) {
  const page = openUnreliablePage(seed)
  const { clock, desk, stream, tickets } = page
  for (let step = 0; step < 150; step++) await anyStep(page)()
  for (const ticket of tickets) desk.subscribe(ticket, stream)
  while (desk.onTheWay.length > 0) desk.deliver(stream)
  const caughtUp = stream.catchUp()
  await clock.advance(3_600_000)
  await caughtUp
  return page
}

test("whatever is lost, doubled or shuffled on the way, each event is applied once in its ticket's order", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { desk, applied, resets } = await liveThrough(seed)
    for (const [ticket, seqs] of applied) {
      const committed = desk.log.filter(({ data }) => data.ticket.uuid === ticket).map(({ data }) => data.seq)
      assert.deepEqual(seqs, committed, `seed ${seed}, ${ticket}`)
    }
    assert.deepEqual(resets, [], `seed ${seed}`)
  }
})

test("a list whose reader is no longer staff of a ticket goes on with the customers' count", () => {
  const stream = new EventStream({
    fetchHistory: () => new Promise(() => {}),
    cursor: "start",
    clock: new FakeClock(),
  })
  const shown = []
  stream.on("*", (data) => shown.push(data.seq))
  stream.setSequence(TICKET, 6, "staff")
  stream.receive(REPLY, { ...reply(7), audience: "staff" })
  stream.receive(UPDATED, { ...reply(3), audience: "public" })
  stream.receive(REPLY, { ...reply(4), audience: "public" })
  stream.receive(REPLY, { ...reply(2), event_id: "late", audience: "public" })
  assert.deepEqual(shown, [7, 3, 4])
})
