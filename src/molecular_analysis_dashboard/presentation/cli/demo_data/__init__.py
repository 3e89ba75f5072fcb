"""Input of ``mad demo``, written for it."""
