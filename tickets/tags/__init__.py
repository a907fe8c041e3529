"""Tags: coloured words that staff sort tickets by."""
