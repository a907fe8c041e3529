"""Pages of mail: what each person wants to receive, the way out of it, and received mails as they came."""
