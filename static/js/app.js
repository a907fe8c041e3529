/** The entry of every page: defines the elements, then goes live. */

import "./relative-time.js"
import "./state-chip.js"
import "./toast-list.js"
import "./ticket-list.js"
import "./ticket-bulk.js"
import "./list-keys.js"
import "./live-counts.js"
import "./activity-list.js"
import "./ticket-page.js"
import "./ticket-composer.js"
import "./file-picker.js"
import "./file-size.js"
import "./live-form.js"
import { live } from "./live.js"
import { config } from "./page.js"

if (config.debug) window.Pusher.logToConsole = true
live.start()
