"""The web app: pages, a read-only API and live updates over the index of a market.

| folder or module | what it holds |
|---|---|
| `application` | `create_app`, which puts everything together |
| `settings` | what an operator can set, with types |
| `site` | what requests share: the index's reader, the market, the state database |
| `security` | headers, hosts, cross-site requests, limits of size and rate |
| `public` | pages for everybody: market, job, round, profiles, glossary |
| `live` | server-sent events: pages learn that something happened |
| `api` | read-only JSON and its OpenAPI document |
| `presentation` | how amounts, addresses, times, finality and strangers' words are shown; sentences and plots |
| `state` | what the app itself remembers between requests, in a database of its own |
| `errors` | what every failure looks like, as a page and as JSON |
| `templates`, `static` | pages as Jinja templates; style and scripts |

A request reads the index, never writes it, and opens no connection to an address that a visitor or a job names.
"""
