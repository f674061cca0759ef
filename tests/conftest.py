"""Generated tests: how long an example takes says something about the machine and nothing about the code."""

from hypothesis import HealthCheck, settings

settings.register_profile("imsinspect", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("imsinspect")
