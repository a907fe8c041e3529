import assert from "node:assert/strict"
import test from "node:test"

import { mentionedIn, queryAt } from "../../static/js/lib/notifications/mentions.js"

const BAO = { id: "1", name: "Bao Nguyen" }
const OTHER = { id: "2", name: "Bao Nguyen" }
const EMIL = { id: "3", name: "Emil Sørensen" }

test("a query is what follows an @ before the cursor", () => {
  assert.equal(queryAt("Ask @", 5), "")
  assert.equal(queryAt("@Bao Ng", 7), "Bao Ng")
  assert.equal(queryAt("@Bao later", 4), "Bao")
  assert.equal(queryAt("bao@example.com", 15), null)
  assert.equal(queryAt("@Bao Nguyen could you look", 26), null)
})

test("the keys are of those whose names the text has", () => {
  assert.deepEqual(mentionedIn("Ask @Emil Sørensen", [BAO, EMIL], new Set(["1"])), ["3"])
})

test("of two with one name the chosen one is meant, without a choice both", () => {
  assert.deepEqual(mentionedIn("@Bao Nguyen", [BAO, OTHER], new Set(["2"])), ["2"])
  assert.deepEqual(mentionedIn("@Bao Nguyen", [BAO, OTHER], new Set()), ["1", "2"])
})
