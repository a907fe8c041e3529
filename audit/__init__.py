"""Who did what, when and from where: the ids of requests, and the log of what matters to the site's security."""
