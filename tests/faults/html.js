/** Reads what the server's HTML shows, as far as the fault run compares it. */

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" }

export const read = {
  config: (html) =>
    JSON.parse(one(html, /<script id="live-config" type="application\/json">(.*?)<\/script>/s)),

  ticket(html) {
    const page = one(html, /<ticket-page ([^>]*)>/)
    return {
      seq: Number(attribute(page, "seq")),
      audience: attribute(page, "audience"),
      facts: facts(one(html, /<ticket-facts>(.*?)<\/ticket-facts>/s)),
      replies: new Map(replies(one(html, /<ol id="replies"[^>]*>(.*?)<\/ol>\s*<template/s))),
      timeline: all(one(html, /<ol id="timeline"[^>]*>(.*?)<\/ol>/s), /<li data-action="(\w+)"/g).flat(),
    }
  },
}

/** Returns the tickets that are listed, by uuid. Rows name no audience for staff. */
export function readList(html) {
  const rows = all(html, /<tr id="ticket-([^"]+)"([^>]*)>/g)
  return Object.fromEntries(
    rows.map(([uuid, row]) => [
      uuid,
      {
        seq: Number(attribute(row, "seq")),
        audience: row.includes("data-audience") ? attribute(row, "audience") : "staff",
      },
    ]),
  )
}

function facts(html) {
  return {
    subject: text(html, "subject"),
    status: text(html, "status"),
    priority: text(html, "priority"),
    updated_at: one(html, /datetime="([^"]*)"/),
    assigned_to: text(html, "assigned_to.name") || null,
  }
}

function replies(html) {
  return all(html, /<li id="reply-([^"]+)".*?data-html="message_html">(.*?)<\/div>/gs)
}

function text(html, path) {
  const found = one(html, new RegExp(`data-text="ticket\\.${path}">([^<]*)<`))
  return found.replace(/&([^;]+);/g, (_, name) => ENTITIES[name])
}

function attribute(tag, name) {
  return one(tag, new RegExp(`data-${name}="([^"]*)"`))
}

function one(html, pattern) {
  const found = html.match(pattern)
  if (!found) throw new Error(`There is no ${pattern} in the page: ${html.slice(0, 500)}`)
  return found[1]
}

function all(html, pattern) {
  return [...html.matchAll(pattern)].map(([, ...groups]) => groups)
}
