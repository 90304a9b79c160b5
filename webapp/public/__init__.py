"""Pages for everybody: the market, a job, a round, trainers, aggregators, and what words mean."""

from typing import Final

from webapp.public import glossary, job, market, profiles, round

BLUEPRINTS: Final = (market.pages, job.pages, round.pages, profiles.pages, glossary.pages)
