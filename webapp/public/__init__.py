"""Pages for everybody: the market, a job, a round, trainers, aggregators, and what words mean."""

from typing import Final

from webapp.public import glossary, job, market

BLUEPRINTS: Final = (market.pages, job.pages, glossary.pages)
