"""Formats of dates and times where Django's for a language do not suit (`FORMAT_MODULE_PATH`)."""
