/** What a page does, and says, while its socket is cut, refused or asleep; its pusher-js is the one of browsers. */

import assert from "node:assert/strict"
import { test } from "node:test"

import Echo from "laravel-echo"
import { echoOptions } from "../../static/js/live/echo-options.js"
import { LiveUpdates } from "../../static/js/live/live-updates.js"
import { FakeClock } from "./clock.js"
import { FakeDesk, FakeWindow } from "./window.js"

const CASEY = "33333333-0000-4000-8000-000000000000"
const OWN = `private-user.${CASEY}`
const TICKET = "private-tickets.11111111-0000-4000-8000-000000000000"
const CONFIG = { key: "tikm", user: CASEY, channels: [OWN], cursor: "embedded" }
const ADDRESS = { protocol: "https:", hostname: "desk.example", port: "" }

const SECOND = 1_000
const MINUTE = 60 * SECOND
const OF_ONE_PERSON = "Too many connections of one person."

function load({ clock = new FakeClock(), desk = new FakeDesk(clock), follows = [] } = {}) {
  const window = new FakeWindow(clock, desk)
  const echo = new Echo({ ...echoOptions(CONFIG, ADDRESS, "csrf"), Pusher: window.Pusher })
  const live = new LiveUpdates({ config: CONFIG, echo, fetchHistory: desk.history, world: window })
  const page = { clock, desk, window, live, said: [], resets: [], refused: [] }
  live.addEventListener("state", ({ detail }) => page.said.push(detail.state))
  live.addEventListener("reset", ({ detail }) => page.resets.push(detail))
  live.addEventListener("refused", ({ detail }) => page.refused.push(detail.channel))
  for (const channel of follows) live.follow(channel)
  live.start()
  return page
}

/** A page that is live, with nothing noted yet. */
async function open(options) {
  const page = load(options)
  await page.clock.advance(SECOND)
  assert.equal(page.live.state, "connected")
  return forget(page)
}

function forget(page) {
  page.from = page.clock.now
  page.said.length = page.desk.attempts.length = page.desk.asked.length = page.desk.askedOnLine.length = 0
  return page
}

/** A page whose socket was closed with `code`, and is closed so each time. */
async function refuse(code, message = "Because") {
  const page = await open()
  page.desk.closing = { code, message }
  page.desk.close(code, message)
  return page
}

function since(page, moments) {
  return moments.map((moment) => moment - page.from)
}

function gaps(moments) {
  return moments.slice(1).map((moment, index) => moment - moments[index])
}

// While all is well

test("a page that was just loaded asks once whether it missed anything, on the line, and is live", async () => {
  const page = load()
  await page.clock.advance(SECOND)
  assert.deepEqual(page.said, ["connected"])
  assert.deepEqual([page.desk.askedOnLine.length, page.desk.asked.length], [1, 0])
})

for (const [recalls, wait] of [
  ["something", 0],
  [null, 3 * SECOND],
]) {
  test(`after ${recalls} a page asks the history once, after ${wait} ms, before it is connected`, async () => {
    const clock = new FakeClock()
    const desk = new FakeDesk(clock)
    desk.recalls = recalls
    const page = load({ clock, desk })
    await clock.advance(wait)
    assert.deepEqual([page.said, desk.asked], [[], []])
    await clock.advance(100)
    assert.deepEqual([page.said, desk.asked.length], [["connected"], 1])
    await clock.advance(MINUTE)
    assert.equal(desk.asked.length, 1)
  })
}

test("an answer that comes too late is none to the next question", async () => {
  const page = await open()
  page.desk.recalls = null
  page.desk.readmit(OWN)
  await page.clock.advance(2 * SECOND)
  page.desk.readmit(OWN)
  await page.clock.advance(2 * SECOND)
  forget(page)
  page.desk.broadcast("realtime:missed", { id: "2", cursor: "of the question before" })
  await page.clock.advance(SECOND - 100)
  assert.deepEqual(page.desk.asked, [])
  await page.clock.advance(200)
  assert.equal(page.desk.asked.length, 1)
})

test("a live page asks the history every five minutes, in case", async () => {
  const page = await open()
  await page.clock.advance(16 * MINUTE)
  assert.equal(page.desk.asked.length, 3)
  assert.deepEqual(page.said, [])
  assert.equal(page.desk.attempts.length, 0)
})

test("a page that subscribes to one more channel stays connected", async () => {
  const page = await open()
  page.desk.unanswered = [TICKET]
  page.live.follow(TICKET)
  page.live.stream.catchUp()
  await page.clock.advance(MINUTE)
  assert.ok(page.desk.asked.length > 0)
  assert.deepEqual(page.said, [])
})

test("a second admission to a channel resets what the page shows of it", async () => {
  const page = await open()
  page.desk.readmit(OWN)
  assert.deepEqual(page.resets, [{ reason: "audience", channel: OWN }])
})

test("a page that gets no answer says so after five seconds", async () => {
  const clock = new FakeClock()
  const desk = new FakeDesk(clock)
  desk.hasSockets = desk.hasHistory = false
  const page = load({ clock, desk })
  await clock.advance(4 * SECOND)
  assert.deepEqual(page.said, [])
  await clock.advance(2 * SECOND)
  assert.deepEqual(page.said, ["reconnecting"])
})

// Breaks

test("a page that is cut off says so, and is live again after a second", async () => {
  const page = await open()
  page.desk.close(1006)
  assert.deepEqual(page.said, ["reconnecting"])
  await page.clock.advance(2 * SECOND)
  assert.deepEqual(page.said, ["reconnecting", "connected"])
  assert.deepEqual(since(page, page.desk.attempts), [SECOND])
})

for (const [code, wait] of [
  [1006, SECOND],
  [4200, 0],
]) {
  test(`a page that is closed with ${code}, and has missed nothing when it is back, leaves the history alone`, async () => {
    const page = await open()
    page.desk.close(code)
    await page.clock.advance(MINUTE)
    assert.deepEqual(page.said, ["reconnecting", "connected"])
    const [askedAfter, ...more] = since(page, page.desk.askedOnLine)
    assert.ok(askedAfter >= wait && askedAfter <= wait + 100)
    assert.deepEqual([more, page.desk.asked], [[], []])
  })
}

for (const [random, least] of [
  [0, SECOND],
  [1, 5 * SECOND],
]) {
  test(`a page that is cut off for longer asks the history after ${least / SECOND} s, by chance`, async () => {
    const page = await open({ clock: new FakeClock(() => random) })
    page.desk.hasSockets = false
    page.desk.close(1006)
    await page.clock.advance(7 * SECOND)
    const [first] = since(page, page.desk.asked)
    assert.ok(first >= least && first <= least + SECOND, first)
    assert.deepEqual(page.said, ["reconnecting", "polling"])
  })
}

test("a hidden page does not poll until it becomes visible", async () => {
  const page = await open()
  page.desk.hasSockets = false
  page.window.hide(true)
  page.desk.close(1006)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.desk.asked, [])
  page.window.hide(false)
  await page.clock.advance(100)
  assert.equal(page.desk.asked.length, 1)
})

test("a page that is cut off while it asks on the line is live when it is back", async () => {
  const page = await open()
  page.desk.recalls = null
  page.desk.close(4200)
  await page.clock.advance(SECOND)
  page.desk.recalls = "nothing"
  page.desk.close(1006)
  await page.clock.advance(5 * SECOND)
  assert.deepEqual(page.said, ["reconnecting", "connected"])
})

test("while no socket gets through, a page asks the history every five seconds and says so", async () => {
  const page = await open()
  page.desk.hasSockets = false
  page.desk.close(1006)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.said, ["reconnecting", "polling"])
  for (const gap of gaps(page.desk.asked)) assert.ok(gap >= 5 * SECOND && gap <= 6 * SECOND, gap)
  assert.ok(page.desk.asked.length >= 10)
})

test("pusher-js tries after 1 second, and once more at once, then after 15, 30, 60 and 60", async () => {
  const page = await open()
  page.desk.die()
  await page.clock.advance(4 * MINUTE)
  const waits = [0, ...since(page, page.desk.attempts)]
  assert.deepEqual(gaps(waits), [1000, 10, 15_000, 30_000, 60_000, 60_000, 60_000])
  assert.deepEqual(page.said, ["reconnecting"])
})

test("a page is live again as soon as its socket is, however often the history failed meanwhile", async () => {
  const page = await open({ clock: new FakeClock(() => 0.99) })
  page.desk.die()
  await page.clock.advance(165 * SECOND)
  page.desk.rise()
  await page.clock.advance(1.5 * SECOND)
  assert.equal(page.live.state, "connected")
  assert.ok(page.desk.asked.at(-1) - page.desk.attempts.at(-1) < 100)
})

test("a page whose server was away for long is live soon after it is back, not when pusher-js tries again", async () => {
  const page = await open()
  page.desk.die()
  await page.clock.advance(110 * SECOND)
  page.desk.rise()
  // The history is asked at most every 30 seconds by then, and the line is opened within three.
  await page.clock.advance(35 * SECOND)
  assert.equal(page.live.state, "connected")
})

test("a page whose history falls silent too says so", async () => {
  const page = await open()
  page.desk.hasSockets = false
  page.desk.close(1006)
  await page.clock.advance(20 * SECOND)
  page.desk.hasHistory = false
  await page.clock.advance(25 * SECOND)
  assert.deepEqual(page.said, ["reconnecting", "polling", "reconnecting"])
})

for (const [code, wait] of [
  [1000, 1000],
  [1006, 1000],
  [1012, 1000],
  [4100, 1000],
  [4199, 1000],
  [4200, 0],
  [4201, 0],
  [4299, 0],
]) {
  test(`a page that is closed with ${code} says so at once, and is back after ${wait} ms`, async () => {
    const page = await open()
    page.desk.close(code)
    await page.clock.advance(0)
    assert.deepEqual(page.said, ["reconnecting"])
    await page.clock.advance(2 * SECOND)
    assert.deepEqual(since(page, page.desk.attempts), [wait])
    assert.equal(page.live.state, "connected")
  })
}

// Refusals

const REFUSED = [4001, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4099, 4300, 4999]

for (const code of REFUSED) {
  const heals = code === 4003 || code === 4004
  const [least, most] = heals ? [MINUTE, 2 * MINUTE] : [15 * MINUTE, 30 * MINUTE]
  const says = { 4003: "off", 4004: "busy" }[code] ?? "refused"

  test(`a page that is refused with ${code} says so, and lives on the history`, async () => {
    const page = await refuse(code)
    await page.clock.advance(50 * SECOND)
    assert.equal(page.live.state, says)
    assert.equal(page.live.closeReason.code, code)
    const last = page.desk.asked.slice(-8)
    for (const gap of gaps(last)) assert.ok(gap >= 5 * SECOND && gap <= 6 * SECOND, gap)
  })

  test(`a page that is refused with ${code} tries again after ${least / MINUTE} minutes at least`, async () => {
    const page = await refuse(code)
    await page.clock.advance(10 * SECOND)
    forget(page)
    await page.clock.advance(least - 11 * SECOND)
    assert.deepEqual(page.desk.attempts, [])
    page.desk.closing = null
    await page.clock.advance(most - least + 10 * SECOND)
    assert.equal(page.desk.attempts.length, 1)
    assert.deepEqual(page.said, ["connected"])
    assert.equal(page.live.closeReason, null)
  })
}

test("a page that is refused when it is loaded says so at once", async () => {
  const clock = new FakeClock()
  const desk = new FakeDesk(clock)
  desk.closing = { code: 4001, message: "There is no app with this key." }
  const page = load({ clock, desk })
  await clock.advance(SECOND)
  assert.deepEqual(page.said, ["reconnecting", "refused"])
  assert.equal(page.live.closeReason.message, "There is no app with this key.")
})

test("a page that is refused again for another reason says the other reason", async () => {
  const page = await refuse(4003)
  await page.clock.advance(10 * SECOND)
  page.desk.closing = { code: 4001 }
  const codes = []
  page.live.addEventListener("state", () => codes.push(page.live.closeReason.code))
  await page.clock.advance(2 * MINUTE)
  assert.deepEqual(codes, [4001])
})

test("a refused page that comes back into the network does not come back sooner", async () => {
  const page = await refuse(4001)
  await page.clock.advance(10 * SECOND)
  forget(page)
  page.window.dispatchEvent(new Event("online"))
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.desk.attempts, [])
  assert.ok(since(page, page.desk.asked)[0] <= 500)
})

test("a page whose sign-in was renewed connects anew, and says nothing of a refusal", async () => {
  const page = await open()
  page.desk.close(4009)
  await page.clock.advance(5 * SECOND)
  assert.ok(!page.said.includes("refused"))
  assert.equal(page.live.state, "connected")
  assert.equal(page.desk.attempts.length, 1)
})

test("a page that was renewed once may be renewed again", async () => {
  const page = await open()
  for (let times = 0; times < 3; times++) {
    page.desk.close(4009)
    await page.clock.advance(5 * SECOND)
    assert.equal(page.live.state, "connected")
  }
})

test("a page refused as signed out although it is signed in asks once", async () => {
  const page = await refuse(4009)
  await page.clock.advance(MINUTE)
  assert.equal(page.desk.attempts.length, 1)
  assert.deepEqual(page.said, ["reconnecting", "polling", "refused"])
})

test("a page of a signed-out user says so, and sends no more requests", async () => {
  const page = await open()
  page.desk.isSignedIn = false
  page.desk.close(4009)
  await page.clock.advance(SECOND)
  assert.deepEqual(page.said, ["reconnecting", "ended"])
  forget(page)
  page.window.dispatchEvent(new Event("online"))
  page.window.hide(false)
  await page.clock.advance(60 * MINUTE)
  assert.deepEqual([page.desk.attempts, page.desk.asked, page.said], [[], [], []])
})

/** A live page of a ticket, which its element follows before the page goes live. */
async function openTicket({ clock = new FakeClock(), desk = new FakeDesk(clock) } = {}) {
  const page = load({ clock, desk, follows: [TICKET] })
  await clock.advance(SECOND)
  assert.equal(page.live.state, "connected")
  return page
}

function signOut(desk) {
  desk.isSignedIn = false
  desk.forbidden = [OWN, TICKET]
}

test("a page whose person is signed out, as the socket says, does not say that its ticket was taken", async () => {
  const { clock, desk, live, refused } = await openTicket()
  desk.hasHistory = false
  signOut(desk)
  desk.close(4200)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["ended", []])
})

test("nor does it where the history answers for the ticket first", async () => {
  const clock = new FakeClock()
  const desk = new FakeDesk(clock)
  const { history } = desk
  desk.history = async (request) => {
    if (request.channels.includes(OWN)) await new Promise((resolve) => clock.setTimeout(resolve, 100))
    return await history(request)
  }
  const { live, refused } = load({ clock, desk })
  await clock.advance(SECOND)
  live.follow(TICKET)
  signOut(desk)
  desk.close(4009)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["ended", []])
})

test("a page whose ticket was taken says so, and stays live", async () => {
  const { clock, desk, live, refused } = await openTicket()
  desk.forbidden = [TICKET]
  desk.readmit(TICKET)
  await clock.advance(MINUTE)
  assert.deepEqual([live.state, refused], ["connected", [TICKET]])
})

test("a page refused on its own user channel ends, and disconnects", async () => {
  const page = await open()
  page.desk.forbidden = [OWN]
  page.desk.readmit(OWN)
  await page.clock.advance(MINUTE)
  assert.deepEqual(page.said, ["ended"])
  assert.equal(page.desk.sockets, 0)
})

// Servers that are full

for (const code of [4100, 4200]) {
  test(`a page that is sent away with ${code} again and again stays away for a minute or two, and says why`, async () => {
    const page = await refuse(code, "Over capacity.")
    await page.clock.advance(MINUTE)
    assert.equal(page.live.state, "busy")
    assert.ok(page.desk.attempts.length <= 5)
    page.desk.closing = null
    await page.clock.advance(2 * MINUTE)
    assert.equal(page.live.state, "connected")
    assert.ok(page.desk.attempts.length <= 6)
  })
}

test("a page that is closed at once whenever it is live stays away for a while too", async () => {
  const page = await open()
  for (let times = 0; times < 10; times++) {
    page.desk.close(4100)
    await page.clock.advance(2 * SECOND)
  }
  assert.equal(page.live.state, "busy")
  assert.equal(page.desk.attempts.length, 5)
  await page.clock.advance(2 * MINUTE)
  assert.equal(page.live.state, "connected")
})

test("a page that five deploys send away in an afternoon is back each time at once", async () => {
  const page = await open()
  for (let times = 0; times < 10; times++) {
    page.desk.close(4200)
    await page.clock.advance(20 * SECOND)
    assert.equal(page.live.state, "connected")
  }
  assert.equal(page.desk.attempts.length, 10)
})

test("a user with too many pages sees that as the reason", async () => {
  const page = await refuse(4100, OF_ONE_PERSON)
  await page.clock.advance(20 * SECOND)
  assert.equal(page.live.state, "crowded")
})

test("the reason is shown also when the message precedes the close code", async () => {
  const page = await open()
  for (let times = 0; times < 6; times++) {
    page.desk.close(4100, OF_ONE_PERSON)
    await page.clock.advance(2 * SECOND)
  }
  assert.equal(page.live.state, "crowded")
})

// Sleep, network, sight

test("a page that wakes up asks at once, and connects anew within three seconds", async () => {
  const page = await open()
  page.clock.sleep(8 * 60 * MINUTE)
  forget(page)
  await page.clock.advance(10 * SECOND)
  assert.ok(since(page, page.desk.asked)[0] <= 500)
  assert.equal(page.desk.attempts.length, 1)
  assert.ok(since(page, page.desk.attempts)[0] <= 3 * SECOND)
  assert.deepEqual(page.said, ["reconnecting", "connected"])
  await page.clock.advance(60 * MINUTE)
  assert.equal(page.desk.attempts.length, 1)
  assert.equal(page.desk.sockets, 1)
})

test("a page whose browser came back from its cache connects anew", async () => {
  const page = await open()
  page.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }))
  await page.clock.advance(10 * SECOND)
  assert.equal(page.desk.attempts.length, 1)
  page.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }))
  await page.clock.advance(10 * SECOND)
  assert.equal(page.desk.attempts.length, 1)
})

test("a page out of sight, whose browser lets it run once a minute, has not slept", async () => {
  const page = await open()
  page.window.hide(true)
  await page.clock.advance(2 * SECOND)
  for (let times = 0; times < 10; times++) {
    page.clock.sleep(MINUTE)
    await page.clock.advance(SECOND)
  }
  page.window.hide(false)
  await page.clock.advance(5 * SECOND)
  assert.ok(!page.said.includes("reconnecting"))
})

test("a hidden page sends no requests until it becomes visible", async () => {
  const page = await open()
  page.desk.hasSockets = false
  page.desk.close(1006)
  page.window.hide(true)
  await page.clock.advance(10 * SECOND)
  forget(page)
  await page.clock.advance(10 * MINUTE)
  assert.deepEqual(page.desk.asked, [])
  page.window.hide(false)
  assert.deepEqual(since(page, page.desk.asked), [10 * MINUTE])
})

test("thirty pages that come back into the network together do not arrive together", async () => {
  const draws = { count: 0 }
  const clock = new FakeClock(() => (draws.count++ * 0.618_034) % 1)
  const desk = new FakeDesk(clock)
  const pages = Array.from({ length: 30 }, () => load({ clock, desk }))
  await clock.advance(SECOND)
  desk.die()
  await clock.advance(2 * SECOND)
  desk.rise()
  const [page] = pages.map(forget)
  for (const { window } of pages) window.dispatchEvent(new Event("online"))
  await clock.advance(5 * SECOND)
  assert.ok(pages.every(({ live }) => live.state === "connected"))
  assert.equal(desk.attempts.length, 30)
  const arrivals = since(page, desk.attempts)
  for (const begin of arrivals) {
    assert.ok(arrivals.filter((moment) => moment >= begin && moment < begin + 300).length <= 6)
  }
})
