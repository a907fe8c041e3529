"""Web Push: notifications on the desktop of people who have no page of the desk open."""
