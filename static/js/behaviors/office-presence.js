/** Joins the user's offices: shows who is online there, and on the rows of a list who is viewing or writing. */

import { config } from "../lib/page-config.js"
import { whenListed } from "../lib/page-parts/list-place.js"
import { TicketActivities } from "../lib/presence/ticket-activities.js"
import { clone } from "../lib/template.js"
import { live } from "../live/index.js"

// An admin may have any number of offices.
const MAX_OFFICES = 20

/** @type {Map<string, Map<string, object>>} the members of each channel, by id */
const online = new Map()
const activities = new TicketActivities({ self: config.user, onChange: (uuid) => showRow(uuid) })

for (const channel of officeChannels()) join(channel)
whenListed((list) => {
  const rows = list.querySelector("#ticket-rows")
  for (const row of rows.children) showRow(row.dataset.uuid)
  new MutationObserver(showNewRows).observe(rows, { childList: true })
})

function officeChannels() {
  const offices = config.channels.filter((name) => name.startsWith("private-office."))
  return offices.slice(0, MAX_OFFICES).map((name) => name.replace("private-", "presence-"))
}

function join(channel) {
  const members = new Map()
  online.set(channel, members)
  live.join(channel, {
    onMembers(all) {
      members.clear()
      for (const member of all) members.set(member.id, member)
      showOnline()
    },
    onJoined(member) {
      members.set(member.id, member)
      showOnline()
    },
    onLeft({ id }) {
      members.delete(id)
      if (!isOnline(id)) activities.forget(id)
      showOnline()
    },
    onEvent: (name, data) => name === "ticket.activity" && activities.receive(data),
  })
}

function isOnline(id) {
  return [...online.values()].some((members) => members.has(id))
}

/** Shows each person once, whatever number of offices they are in. */
function showOnline() {
  const list = document.getElementById("online")
  if (!list) return
  const people = new Map([...online.values()].flatMap((members) => [...members]))
  people.delete(config.user)
  const sorted = [...people.values()].sort((a, b) =>
    a.name.localeCompare(b.name, document.documentElement.lang),
  )
  list.replaceChildren(...sorted.map((person) => clone("online-person", person)))
}

function showNewRows(changes) {
  for (const { addedNodes } of changes)
    for (const { dataset } of addedNodes) if (dataset?.uuid) showRow(dataset.uuid)
}

function showRow(uuid) {
  const place = document.querySelector(`#ticket-${CSS.escape(uuid)} .row-colleagues`)
  place?.replaceChildren(...activities.of(uuid).map(rowColleague))
}

function rowColleague({ user, activity }) {
  const text = clone(`colleague-${activity}`, user).textContent
  return clone("row-colleague", { avatar_url: user.avatar_url, activity, text })
}
