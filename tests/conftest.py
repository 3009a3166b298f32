"""What holds for every test: what its children inherit, and how properties are tried."""

from __future__ import annotations

import signal

from hypothesis import settings

# What is ignored where the tests are started, as under nohup, would be ignored by all that they start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The same examples in each run, so that what passes here passes there; --hypothesis-profile=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")
