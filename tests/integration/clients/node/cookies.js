/** Adds the user's cookies to HTTP requests as a browser does; Node has no jar, and pusher-js may not set them. */

import http from "node:http"

import { options } from "./reporting.js"

const { request } = http
http.request = (target, ...more) =>
  request({ ...target, headers: { ...target.headers, Cookie: options.cookies ?? "" } }, ...more)
