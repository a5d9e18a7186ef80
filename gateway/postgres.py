"""The journal on PostgreSQL, which several gateways may share."""
from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.database import T, Work
from gateway.schema import metadata

# Any number will do, as long as all gateways wait for the same one.
CREATION_LOCK = 72616
CONNECTIONS = 10


class PostgresEngine:
    """Runs transactions over asyncpg; `limit`: seconds to wait for a connection."""

    def __init__(self, url: URL, limit: float) -> None:
        # hide_parameters: SQLAlchemy's errors would quote a visitor's text.
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"), hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=limit,
            connect_args={"timeout": limit})

    async def start(self, alone: bool) -> None:
        """Create the tables; gateways that start together take turns."""
        async with self._engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({CREATION_LOCK})"))
            await connection.run_sync(metadata.create_all)

    async def stop(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def run(self, work: Work[T], read: bool) -> T:
        """Run `work` in one transaction."""
        async with self._engine.begin() as connection:
            result: Any = await connection.run_sync(work)
        return result

    async def scrub(self) -> None:
        """Leave it to autovacuum: dead rows cannot be read by SQL, and a client cannot rewrite the files (docs/operations.md)."""
