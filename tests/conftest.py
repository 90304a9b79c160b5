"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# The machine is shared, so how long an example takes says nothing. The examples are the same each time, so that a
# failure is the change's and not the day's.
settings.register_profile("cairn", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cairn")
