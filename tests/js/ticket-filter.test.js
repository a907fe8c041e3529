/** The filters of a list in the browser. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { matchesFilter } from "../../static/js/lib/ticket-filter.js"

const BAO = { id: "b", name: "Bao Nguyen" }
const TICKET = {
  status: "4",
  status_id: 1,
  is_closed: false,
  priority: "2",
  priority_id: 3,
  office: "1",
  office_id: 2,
  assigned_to: BAO,
  created_at: "2026-05-04T10:00:00.000Z",
  updated_at: "2026-05-05T10:00:00.000Z",
}

for (const [wanted, expected] of [
  [{ view: "active" }, true],
  [{ view: "closed" }, false],
  [{ view: "all" }, true],
  [{ view: "waiting" }, true],
  [{ status: "4" }, false],
  [{ status: "1" }, true],
  [{ status: "4 1" }, true],
  [{ view: "closed", status: "1" }, true],
  [{ view: "closed waiting", status: "4" }, true],
  [{ view: "closed unread", status: "4" }, true],
  [{ view: "all", priority: "2" }, false],
  [{ view: "all", priority: "3", office: "2" }, true],
  [{ view: "all", office: "1" }, false],
  [{ view: "all", office: "1 2", priority: "1 3" }, true],
  [{ view: "all", office: "1 12" }, false],
  [{ view: "all", tag: "1" }, false],
  [{ view: "all", assignee: "me" }, true],
  [{ view: "all", assignee: "b" }, true],
  [{ view: "all", assignee: "c" }, false],
  [{ view: "all", assignee: "none" }, false],
  [{ view: "all", assignee: "none c" }, false],
  [{ view: "all", assignee: "none me" }, true],
  [{ view: "all", createdStart: "2026-05-04T12:00:00+02:00" }, true],
  [{ view: "all", createdStart: "2026-05-04T12:00:01+02:00" }, false],
  [{ view: "all", createdEnd: "2026-05-04T12:00:00+02:00" }, false],
  [{ view: "all", createdEnd: "2026-05-04T12:00:01+02:00" }, true],
  [{ view: "all", updatedStart: "2026-05-05T00:00:00Z", updatedEnd: "2026-05-06T00:00:00Z" }, true],
  [{ view: "all", updatedEnd: "2026-05-05T00:00:00Z" }, false],
]) {
  test(`${JSON.stringify(wanted)}: ${expected}`, () =>
    assert.equal(matchesFilter(TICKET, wanted, "b"), expected))
}

test("a snoozed ticket is in a view of its own, and in those of all and of its status", () => {
  const snoozed = { ...TICKET, waiting_for: "staff", snoozed_until: "2026-05-06T09:00:00.000Z" }
  const views = ["active", "waiting", "snoozed", "closed", "all"]
  const shown = views.filter((view) => matchesFilter(snoozed, { view, side: "staff" }, "b"))
  assert.deepEqual(shown, ["snoozed", "all"])
  assert.equal(matchesFilter(snoozed, { view: "all", status: "1" }, "b"), true)
  assert.equal(matchesFilter(TICKET, { view: "snoozed" }, "b"), false)
})

test(`an unassigned ticket matches "none" and not "me"`, () => {
  const free = { ...TICKET, assigned_to: null, office: null, office_id: null }
  assert.equal(matchesFilter(free, { view: "active", assignee: "none" }, "b"), true)
  assert.equal(matchesFilter(free, { view: "active", assignee: "me" }, "b"), false)
  assert.equal(matchesFilter(free, { view: "active", office: "2" }, "b"), false)
})

test("a ticket matches the view of those that wait for the side of the user", () => {
  const waiting = { ...TICKET, waiting_for: "staff" }
  assert.equal(matchesFilter(waiting, { view: "waiting", side: "staff" }, "b"), true)
  assert.equal(matchesFilter(waiting, { view: "waiting", side: "customer" }, "b"), false)
  const closed = { ...waiting, is_closed: true, waiting_for: null }
  assert.equal(matchesFilter(closed, { view: "waiting", side: "staff" }, "b"), false)
})

test("a ticket that may be unread is open, or the customer's own", () => {
  const [staff, customer] = ["staff", "customer"].map((side) => ({ view: "unread", side }))
  const own = { ...TICKET, creator: { id: "c" } }
  const closed = { ...own, is_closed: true }
  for (const filter of [staff, customer]) assert.equal(matchesFilter(own, filter, "x"), true)
  assert.equal(matchesFilter(closed, staff, "c"), false)
  assert.equal(matchesFilter(closed, customer, "c"), true)
  assert.equal(matchesFilter(closed, customer, "x"), false)
})

test("a ticket has any of several tags", () => {
  const tagged = { ...TICKET, tags: [{ id: 4 }, { id: 5 }] }
  for (const [tag, expected] of [
    ["5", true],
    ["6 4", true],
    ["6 45", false],
  ])
    assert.equal(matchesFilter(tagged, { view: "all", tag }, "b"), expected)
})

test("a ticket that was read leaves the unread ones, unless it belongs to the list for another reason", () => {
  for (const [filter, expected] of [
    [{ view: "unread" }, false],
    [{ view: "unread", status: "4" }, false],
    [{ view: "unread", status: "1" }, true],
    [{ view: "unread active" }, true],
  ])
    assert.equal(matchesFilter(TICKET, filter, "b", true), expected)
})

test("a closed ticket matches the closed view", () => {
  const closed = { ...TICKET, is_closed: true }
  assert.equal(matchesFilter(closed, { view: "closed" }, "b"), true)
  assert.equal(matchesFilter(closed, { view: "active" }, "b"), false)
})
