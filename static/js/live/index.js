/** This page's liveness: its socket, its history, its window. */

import Echo from "laravel-echo"
import { config, csrfToken } from "../lib/page-config.js"
import { echoOptions } from "./echo-options.js"
import { fetchHistory } from "./history-api.js"
import { Live } from "./live-updates.js"

export const live = new Live({
  config,
  echo: new Echo(echoOptions(config, location, csrfToken())),
  fetchHistory,
})
