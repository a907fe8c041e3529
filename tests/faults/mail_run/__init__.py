"""The fault run of mail: workers, the SMTP server and the IMAP server fail while mails go both ways."""
